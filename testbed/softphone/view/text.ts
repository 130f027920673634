/** Numbers and times as people read them. */

/** `0:07`, `12:05`, `1:02:05`. */
export function clock(durationMs: number): string {
  const total = Math.max(0, Math.floor(durationMs / 1000));
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const tail = `:${String(seconds).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}${tail}` : `${minutes}${tail}`;
}

const DAY_MS = 86_400_000;

/** Time of day for today, `Yesterday`, a weekday within a week, else the date. */
export function when(atMs: number, nowMs: number, locale?: string): string {
  const startOfDay = new Date(nowMs).setHours(0, 0, 0, 0);
  const date = new Date(atMs);
  if (atMs >= startOfDay) return date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
  if (atMs >= startOfDay - DAY_MS) return 'Yesterday';
  if (atMs >= startOfDay - 6 * DAY_MS) return date.toLocaleDateString(locale, { weekday: 'long' });
  return date.toLocaleDateString(locale, { day: 'numeric', month: 'short', year: 'numeric' });
}

/** One or two letters for a round picture. */
export function initials(name: string, number: string): string {
  const words = name.split(/\s+/).filter((word) => /^\p{L}/u.test(word));
  if (words.length > 0)
    return [words[0]!, ...(words.length > 1 ? [words.at(-1)!] : [])]
      .map((w) => w[0]!)
      .join('')
      .toUpperCase();
  return number.replace(/\D/g, '').slice(-2) || number.slice(0, 1).toUpperCase();
}

/** A hue 0..359 that always belongs to the same number. */
export function hueOf(text: string): number {
  let hash = 0;
  for (const char of text) hash = (hash * 31 + char.codePointAt(0)!) >>> 0;
  return (hash * 47) % 360;
}
