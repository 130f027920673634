/** docs/reference/metrics.md, from the table of metrics. */
import { metricTable } from '../control/metrics/metrics.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

const INTRODUCTION = `# Metrics

\`GET /metrics\` in the Prometheus text format. It needs an API token like the API does, unless the configuration says
\`http.metrics: open\` (the demo does, since it listens on loopback only). No metric has a label per call, user or address. A counter
with labels shows only the label values that have occurred, where there are many possible ones.

Besides these, the process metrics of prom-client are exported (\`process_*\`, \`nodejs_*\`), for the node process.

Stages of \`strowger_stage_seconds\` and \`strowger_budget_breaches_total\`: \`queue\` (a message waits in socket and ring), \`core\`
(parsing, routing, rewriting one message), \`media\` (media set-up), \`setup\` and \`setup_media\` (INVITE in to INVITE out, without and
with media through the switch). Their budgets are in the configuration under \`budgets\`.

Source: \`switch/control/metrics/metrics.ts\`.`;

/** The page. */
export function metricsPage(): string {
  const rows = metricTable.map((metric) => {
    const labels = Object.entries(metric.labels ?? {}).map(
      ([name, values]) => `${code(name)}: ${cell(values)}`,
    );
    return [code(metric.name), metric.type, labels.join('; '), cell(metric.help)];
  });
  return `${GENERATED}\n\n${INTRODUCTION}\n\n${table(['name', 'type', 'labels', 'meaning'], rows)}\n`;
}
