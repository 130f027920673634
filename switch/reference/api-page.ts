/** docs/reference/api.md, from the route table. */
import type { Response, Route } from '../api/router.ts';
import { routes } from '../api/routes.ts';
import type { Schema } from '../schema/builder.ts';
import { allowed } from '../schema/words.ts';
import { cell, code, GENERATED, table } from './markdown.ts';

const INTRODUCTION = `# API

HTTP and JSON on the address of \`http.listen\`. Every answer but \`/healthz\` and \`/readyz\` needs an API token of \`http.tokens\`:
\`Authorization: Bearer TOKEN\` or \`?token=TOKEN\`. The demo makes one at start and prints it in the ready line.

Errors are problem documents (RFC 9457, \`application/problem+json\`). Lists come in pages: give \`next\` of one answer as \`cursor\` of the
next question. A page may have fewer entries than \`limit\` although \`next\` is not null, when a filter leaves most of them out.
Running calls and registrations change while they are read: an entry that comes or goes between two pages may be missed, none is
shown twice with the same id.

\`GET /api/v1/openapi.json\` gives the same as an OpenAPI 3.1 document.

Source: \`switch/api/routes.ts\` and the files it imports.`;

const ACCESS = {
  open: 'No token needed.',
  token: 'Needs a token.',
  metrics: 'Needs a token unless `http.metrics: open`.',
};

function parameterRows(where: string, schemas: Readonly<Record<string, Schema<unknown>>> = {}): string[][] {
  return Object.entries(schemas).map(([name, schema]) => [
    code(name),
    where,
    cell(allowed(schema)),
    code(schema.default),
    cell(schema.description),
  ]);
}

/** Rows of a shape, nested ones with dotted names. */
function shapeRows(schema: Schema<unknown>, prefix = ''): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const many = value.type === 'array' ? value.items : undefined;
    const named = typeof value.additionalProperties === 'object' ? value.additionalProperties : undefined;
    const row = [code(name), typeWord(value), cell(value.description)];
    if (many?.properties) return [row, ...shapeRows(many, `${name}[].`)];
    if (named) return [row, ...shapeRows(named, `${name}.*.`)];
    return [row, ...shapeRows(value, `${name}.`)];
  });
}

function typeWord(schema: Schema<unknown>): string {
  const types = [schema.type].flat().join(' or ');
  return schema.enum ? schema.enum.map(code).join(', ') : types;
}

function responseText([status, response]: [string, Response]): string {
  const shape = response.schema
    ? `\n\n${table(['field', 'type', 'meaning'], shapeRows(response.schema))}`
    : '';
  return `**${status}** ${response.description}${shape}`;
}

function routeText<C>(route: Route<C>): string {
  const parameters = [
    ...parameterRows('path', route.pathParameters),
    ...parameterRows('query', route.queryParameters),
  ];
  const parts = [`## ${route.method} ${route.path}`, `${route.summary} ${ACCESS[route.access]}`];
  if (parameters.length > 0)
    parts.push(table(['parameter', 'in', 'allowed', 'default', 'meaning'], parameters));
  parts.push(...Object.entries(route.responses).map(responseText));
  return parts.join('\n\n');
}

/** The page. */
export function apiPage(): string {
  return `${GENERATED}\n\n${INTRODUCTION}\n\n${routes.map((route) => routeText(route)).join('\n\n')}\n`;
}
