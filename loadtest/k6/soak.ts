/** The same moderate load for a long time: does anything grow, or get slower? */
import { callThresholds } from './lib/budgets.ts';
import { probe as probeOnce } from './lib/probe.ts';
import { arrivals, optionsFor, probing } from './lib/scenarios.ts';
import { callSession } from './lib/session.ts';
import { readSettings } from './lib/settings.ts';

const settings = readSettings(__ENV, { rate: '20', duration: '30m', hold: '10s' });
const { ratePerS, durationS } = settings;

export const options = optionsFor(
  arrivals(settings, ratePerS, [{ toPerS: ratePerS, durationS }]),
  probing(settings),
  callThresholds(settings.budgetScale),
);

export default () => callSession(settings);

export const probe = () => probeOnce(settings, __ENV['ECHO'] ?? '');
