/** Axes: from values to places on a picture, and the round numbers to write beside them. */

export interface Scale {
  /** Place of a value, in pixels from the start of the axis. */
  at: (value: number) => number;
  ticks: number[];
}

/** From 0 to a round number that is not below `greatest`, with about `count` ticks. */
export function linearScale(greatest: number, pixels: number, count = 5): Scale {
  const max = greatest > 0 ? greatest : 1;
  const stepWidth = roundUp(max / count);
  const end = Math.ceil(max / stepWidth - 1e-9) * stepWidth;
  const ticks = Array.from({ length: Math.round(end / stepWidth) + 1 }, (_, i) => i * stepWidth);
  return { at: (value) => (value / end) * pixels, ticks };
}

/** 1, 2 and 5 times powers of ten around the values, which must be positive. */
export function logScale(min: number, max: number, pixels: number): Scale {
  const ticks = [roundDown(min)];
  while (ticks.at(-1)! < max) ticks.push(roundUp(ticks.at(-1)! * 1.5));
  const [from, to] = [Math.log10(ticks[0]!), Math.log10(Math.max(ticks.at(-1)!, ticks[0]! * 10))];
  return { at: (value) => ((Math.log10(value) - from) / (to - from)) * pixels, ticks };
}

/** The smallest 1, 2 or 5 times a power of ten that is not below the value. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10);
}

/** The largest 1, 2 or 5 times a power of ten that is not above the value. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([5, 2, 1].find((factor) => factor * power <= value * (1 + 1e-9)) ?? 1);
}
