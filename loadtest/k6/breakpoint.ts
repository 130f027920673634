/**
 * Calls at a rate that rises until a threshold breaks, which ends the run: how far does it go? `load_rate_per_s` is
 * the rate that was reached. A run that breaks nothing before its end passes, and says that the rate can be higher.
 */
import exec from 'k6/execution';
import { callThresholds } from './lib/budgets.ts';
import { ratePerS as dueRatePerS } from './lib/metrics.ts';
import { probe as probeOnce } from './lib/probe.ts';
import { arrivals, optionsFor, probing } from './lib/scenarios.ts';
import { callSession } from './lib/session.ts';
import { readSettings } from './lib/settings.ts';

const settings = readSettings(__ENV, { rate: '300', duration: '2m' });
const { ratePerS, durationS } = settings;

export const options = optionsFor(
  arrivals(settings, 0, [{ toPerS: ratePerS, durationS }]),
  probing(settings),
  callThresholds(settings.budgetScale, true),
);

export default () => {
  dueRatePerS.add((ratePerS * exec.instance.currentTestRunDuration) / 1000 / durationS);
  return callSession(settings);
};

export const probe = () => probeOnce(settings, __ENV['ECHO'] ?? '');
