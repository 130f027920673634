/** The route table: all that is served besides pages and the SIP WebSocket. */
import type { ApiContext } from './context.ts';
import { json } from './exchange.ts';
import { openApiDocument } from './openapi.ts';
import type { Route } from './router.ts';
import { callRoutes } from './routes-calls.ts';
import { latencyRoute } from './routes-latency.ts';
import { nodeRoutes } from './routes-nodes.ts';
import { recordingRoutes } from './routes-recordings.ts';
import { recordRoutes } from './routes-records.ts';
import { healthSchema } from './shapes.ts';

const systemRoutes: readonly Route<ApiContext>[] = [
  {
    method: 'GET',
    path: '/healthz',
    summary: 'Answers as long as the node lives.',
    access: 'open',
    responses: { 200: { description: 'Alive.', schema: healthSchema, name: 'Health' } },
    handle: (context) => json({ status: context.state }),
  },
  {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether the node takes calls: 200 when it does, 503 while it starts or drains.',
    access: 'open',
    responses: {
      200: { description: 'Takes calls.', schema: healthSchema, name: 'Health' },
      503: { description: 'Starts or drains.', schema: healthSchema, name: 'Health' },
    },
    handle: (context) => json({ status: context.state }, context.state === 'ok' ? 200 : 503),
  },
  {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics in the Prometheus text format; see metrics.md.',
    access: 'metrics',
    responses: {
      200: { description: 'Metrics.', type: 'text/plain' },
      401: { description: 'No valid token.' },
    },
    async handle(context) {
      const body = await context.metrics();
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body };
    },
  },
  {
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document.',
    access: 'token',
    responses: { 200: { description: 'The document.' }, 401: { description: 'No valid token.' } },
    handle: () => json(openApiDocument(routes)),
  },
];

/** In the order of the documentation. */
export const routes: readonly Route<ApiContext>[] = [
  ...systemRoutes,
  ...nodeRoutes,
  latencyRoute,
  ...callRoutes,
  ...recordRoutes,
  ...recordingRoutes,
];
