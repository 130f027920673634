/** Calls at a rising rate: from nothing to the full rate in half of the time, and that for the other half. */
import { callThresholds } from './lib/budgets.ts';
import { probe as probeOnce } from './lib/probe.ts';
import { arrivals, optionsFor, probing } from './lib/scenarios.ts';
import { callSession } from './lib/session.ts';
import { readSettings } from './lib/settings.ts';

const settings = readSettings(__ENV, { rate: '50', duration: '30s', hold: '1s' });
const { ratePerS, durationS } = settings;

export const options = optionsFor(
  arrivals(settings, 0, [
    { toPerS: ratePerS, durationS: durationS / 2 },
    { toPerS: ratePerS, durationS: durationS / 2 },
  ]),
  probing(settings),
  callThresholds(settings.budgetScale),
);

export default () => callSession(settings);

export const probe = () => probeOnce(settings, __ENV['ECHO'] ?? '');
