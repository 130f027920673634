/** docs/reference/config.md, from the schema of the configuration. */
import { configSchema } from '../control/config/schema.ts';
import type { Schema } from '../schema/builder.ts';
import { allowed } from '../schema/words.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

const INTRODUCTION = `# Configuration

One YAML file: \`--config FILE\`, else \`STROWGER_CONFIG\`, else \`config/demo.yaml\`. \`--check\` reads it, reports every mistake with its
line, and stops. A mistake keeps the switch from starting.

On SIGHUP the switch reads \`domains\`, \`realm\`, \`users\`, \`trusted\`, \`trunks\` and \`routes\` again and takes them into use at once, for
new messages; a file with a mistake is refused and everything stays as it was. All other keys need a restart.

Four files come with Strowger: \`config/demo.yaml\`, \`config/bench.yaml\` (no media, no digest: for comparing with other proxies),
\`config/bench-digest.yaml\` and \`config/load.yaml\` (no media, digest, many WebSockets: for \`npm run load\`). Their passwords are
public, so they are refused with a listener that is not on loopback.

Source: \`switch/control/config/schema.ts\`.`;

/** The kind of a value and its range. */
function kind(schema: Schema<unknown>): string {
  if (schema.type === 'array') return `list of ${schema.items ? itemKind(schema.items) : 'values'}`;
  if (schema.properties && schema.type === 'object') return 'section';
  return cell(allowed(schema));
}

/** What the items of a list are. */
function itemKind(items: Schema<unknown>): string {
  if (!items.properties) return cell(allowed(items));
  return items.type === 'object' ? 'sections' : `${cell(allowed(items))}, or sections`;
}

function fallback(schema: Schema<unknown>, required: boolean): string {
  if (required) return 'required';
  if (schema.default === undefined || schema.properties || schema.secret) return '';
  return code(schema.default);
}

function rowsOf(schema: Schema<unknown>): string[][] {
  return Object.entries(schema.properties ?? {}).map(([key, value]) => [
    code(key),
    kind(value),
    fallback(value, schema.required?.includes(key) ?? false),
    cell(value.description),
  ]);
}

/** The sections within a schema, each with its path. */
function sectionsOf(schema: Schema<unknown>, path: string): { path: string; schema: Schema<unknown> }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const inner = value.type === 'array' ? value.items : value;
    if (!inner?.properties) return [];
    const here = `${path === '' ? '' : `${path}.`}${key}${value.type === 'array' ? '[]' : ''}`;
    return [{ path: here, schema: { ...inner, description: value.description } }, ...sectionsOf(inner, here)];
  });
}

const HEAD = ['key', 'allowed', 'default', 'meaning'];

/** The page. */
export function configPage(): string {
  const sections = sectionsOf(configSchema, '').map(
    ({ path, schema }) => `## \`${path}\`\n\n${schema.description}\n\n${table(HEAD, rowsOf(schema))}`,
  );
  return `${GENERATED}\n\n${INTRODUCTION}\n\n## Top level\n\n${table(HEAD, rowsOf(configSchema))}\n\n${sections.join('\n\n')}\n`;
}
