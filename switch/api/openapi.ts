/** The OpenAPI 3.1 document, made from the route table. */
import type { Schema } from '../schema/builder.ts';
import type { Response, Route } from './router.ts';
import { problemSchema } from './shapes.ts';

/** Keys of our schemas that JSON Schema doesn't know. */
const OURS = new Set(['expects', 'secret', 'optional']);

/** A schema without what is ours. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, item]) => !OURS.has(key) && item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item)]));
}

function responseOf(status: number, response: Response): unknown {
  const problem = status >= 400 && response.schema === undefined;
  if (problem)
    return {
      description: response.description,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  if (response.schema === undefined)
    return { description: response.description, content: { [response.type ?? 'application/json']: {} } };
  const schema = { $ref: `#/components/schemas/${response.name}` };
  return { description: response.description, content: { 'application/json': { schema } } };
}

function parametersOf(
  where: 'path' | 'query',
  schemas: Readonly<Record<string, Schema<unknown>>> = {},
): unknown[] {
  return Object.entries(schemas).map(([name, schema]) => ({
    name,
    in: where,
    required: where === 'path',
    description: schema.description,
    schema: plain(schema),
  }));
}

function operationOf(route: Route<never>): unknown {
  return {
    summary: route.summary,
    security: route.access === 'open' ? [] : [{ bearer: [] }, { query: [] }],
    parameters: [
      ...parametersOf('path', route.pathParameters),
      ...parametersOf('query', route.queryParameters),
    ],
    responses: Object.fromEntries(
      Object.entries(route.responses).map(([status, response]) => [
        status,
        responseOf(Number(status), response),
      ]),
    ),
  };
}

/** The document, as JSON values. */
export function openApiDocument<C>(routes: readonly Route<C>[]): Record<string, unknown> {
  const schemas: Record<string, unknown> = { Problem: plain(problemSchema) };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    for (const { name, schema } of Object.values(route.responses))
      if (name && schema) schemas[name] = plain(schema);
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: operationOf(route as unknown as Route<never>),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Strowger',
      version: '1',
      description: 'Calls, registrations and records of a Strowger node.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        query: { type: 'apiKey', in: 'query', name: 'token' },
      },
    },
  };
}
