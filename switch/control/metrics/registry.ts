/** Exports the table of metrics through prom-client, next to the process's own metrics. */
import { collectDefaultMetrics, type Metric as PromMetric, Registry } from 'prom-client';
import { metricTable } from './metrics.ts';
import type { Distribution, Labels, Metric, MetricSources } from './table.ts';

interface PromValue {
  labels: Labels;
  value: number;
  metricName?: string;
}

/** Cumulative buckets in seconds, as Prometheus wants them. */
function histogramValues(name: string, { labels = {}, histogram }: Distribution): PromValue[] {
  const values: PromValue[] = [];
  let count = 0;
  for (const [i, boundUs] of histogram.boundsUs.entries()) {
    count += histogram.counts[i] ?? 0;
    values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: boundUs / 1e6 }, value: count });
  }
  count += histogram.counts[histogram.boundsUs.length] ?? 0;
  values.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count });
  values.push({ metricName: `${name}_sum`, labels, value: histogram.sumUs / 1e6 });
  values.push({ metricName: `${name}_count`, labels, value: count });
  return values;
}

function valuesOf(metric: Metric, sources: MetricSources): PromValue[] {
  if (metric.type === 'histogram')
    return metric.read(sources).flatMap((item) => histogramValues(metric.name, item));
  return metric.read(sources).map(({ labels = {}, value }) => ({ labels, value }));
}

/** What prom-client's registry asks of a metric; ours are read, not kept. */
class ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly #metric: Metric;
  readonly #sources: () => MetricSources;

  constructor(metric: Metric, sources: () => MetricSources) {
    this.name = metric.name;
    this.help = metric.help;
    this.type = metric.type;
    this.#metric = metric;
    this.#sources = sources;
  }

  async get(): Promise<object> {
    const { name, help, type } = this;
    return { name, help, type, aggregator: 'sum', values: valuesOf(this.#metric, this.#sources()) };
  }
}

/** Everything that /metrics shows. */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #gather: () => Promise<MetricSources>;
  #sources: MetricSources | null = null;

  /** @param gather reads everything a scrape needs. */
  constructor(gather: () => Promise<MetricSources>) {
    this.#gather = gather;
    for (const metric of metricTable)
      this.#registry.registerMetric(new ReadMetric(metric, () => this.#current()) as unknown as PromMetric);
    collectDefaultMetrics({ register: this.#registry });
  }

  #current(): MetricSources {
    if (this.#sources === null) throw new Error('metrics read outside of a scrape');
    return this.#sources;
  }

  /** The Prometheus text format. */
  async text(): Promise<string> {
    this.#sources = await this.#gather();
    return this.#registry.metrics();
  }
}
