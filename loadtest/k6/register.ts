/**
 * A storm of registrations: after an outage everybody comes back at once. The full rate is there after a tenth of the
 * time. Each user has a connection of its own.
 */
import { registerThresholds } from './lib/budgets.ts';
import { probe as probeOnce } from './lib/probe.ts';
import { arrivals, optionsFor, probing } from './lib/scenarios.ts';
import { registerSession } from './lib/session.ts';
import { readSettings } from './lib/settings.ts';

const settings = readSettings(__ENV, { rate: '200', duration: '20s' });
const { ratePerS, durationS } = settings;

export const options = optionsFor(
  arrivals(settings, 0, [
    { toPerS: ratePerS, durationS: durationS / 10 },
    { toPerS: ratePerS, durationS: (durationS * 9) / 10 },
  ]),
  probing(settings),
  registerThresholds(settings.budgetScale),
);

export default () => registerSession(settings);

export const probe = () => probeOnce(settings, __ENV['ECHO'] ?? '');
