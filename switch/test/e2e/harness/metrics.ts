/** A reading of /metrics (Prometheus text format 0.0.4). */

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export class Metrics {
  readonly #samples: Sample[];

  constructor(text: string) {
    this.#samples = text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map(parseSample);
  }

  /** Sum over all samples of that name whose labels include those given; throws when there is none. */
  sum(name: string, labels: Record<string, string> = {}): number {
    const wanted = Object.entries(labels);
    const found = this.#samples.filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
    if (found.length === 0 && !this.#samples.some((sample) => sample.name === name)) {
      throw new Error(`/metrics has no ${name}`);
    }
    return found.reduce((sum, sample) => sum + sample.value, 0);
  }
}

function parseSample(line: string): Sample {
  const found = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
  if (!found) throw new Error(`not a metrics line: ${line}`);
  const labels: Record<string, string> = {};
  for (const [, key, value] of (found[2] ?? '').matchAll(/([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g))
    labels[key!] = value!;
  return { name: found[1]!, labels, value: Number(found[3]) };
}
