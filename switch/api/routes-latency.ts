/** /api/v1/latency: the stages against their budgets. */
import * as abi from '../../wasm-core/assembly/abi.ts';
import type { HistogramSnapshot } from '../control/histogram.ts';
import type { ApiContext } from './context.ts';
import { json } from './exchange.ts';
import type { Route } from './router.ts';
import { latencySchema, type StageLatency } from './shapes.ts';

function stage(histogram: HistogramSnapshot, budgetUs: number, breaches: number): StageLatency {
  return { ...histogram.summary, budgetUs, breaches };
}

function stagesOf({ config, calls, media, ...context }: ApiContext): Record<string, StageLatency> {
  const { budgets } = config;
  const realtime = context.realtime();
  const stages: Record<string, StageLatency> = {
    queue: stage(realtime.queue, budgets.queueUs, realtime.queueBreaches),
    core: stage(realtime.core, budgets.coreUs, realtime.coreBreaches),
    setup: stage(calls.setup.snapshot(), budgets.setupUs, calls.setup.breaches),
    setup_media: stage(calls.setupMedia.snapshot(), budgets.setupMediaUs, calls.setupMedia.breaches),
  };
  if (media) {
    const { histogram } = media.bridge;
    stages['media'] = stage(histogram.snapshot(), budgets.mediaUs, histogram.breaches);
  }
  return stages;
}

/** The route. */
export const latencyRoute: Route<ApiContext> = {
  method: 'GET',
  path: '/api/v1/latency',
  summary: 'Latency of the stages against their budgets, and what overload control does.',
  access: 'token',
  responses: {
    200: { description: 'Since the node started.', schema: latencySchema, name: 'Latency' },
    401: { description: 'No valid token.' },
  },
  handle(context) {
    const { counters } = context.realtime();
    const limit = counters[abi.C_ADMIT_LIMIT] ?? 0;
    const overload = {
      limitPerS: limit > 0 ? limit : null,
      shed: counters[abi.C_SHED] ?? 0,
      unanswered: counters[abi.C_SHED_SILENT] ?? 0,
      limitedSource: counters[abi.C_LIMITED_SOURCE] ?? 0,
      limitedUser: counters[abi.C_LIMITED_USER] ?? 0,
    };
    return json({ stages: stagesOf(context), overload });
  },
};
