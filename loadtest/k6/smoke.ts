/** Sixty calls, two at a time: does everything work? */
import { callThresholds } from './lib/budgets.ts';
import { probe as probeOnce } from './lib/probe.ts';
import { optionsFor } from './lib/scenarios.ts';
import { callSession } from './lib/session.ts';
import { readSettings } from './lib/settings.ts';

const settings = readSettings(__ENV);

export const options = optionsFor(
  { executor: 'shared-iterations', vus: 2, iterations: 60, maxDuration: '2m' },
  { executor: 'per-vu-iterations', exec: 'probe', vus: 1, iterations: 1, maxDuration: '2m' },
  callThresholds(settings.budgetScale),
);

export default () => callSession(settings);

export const probe = () => probeOnce(settings, __ENV['ECHO'] ?? '');
