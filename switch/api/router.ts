/** Finds the route of a request, checks its token and parameters, and calls its handler. */
import type { Infer, Schema } from '../schema/builder.ts';
import { allowed } from '../schema/words.ts';
import type { Reply, Request } from './exchange.ts';
import { Problem } from './problem.ts';
import type { Tokens } from './tokens.ts';

/** Values of a route's parameters, by name; those with a default or given by the client are present. */
export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** One answer a route can give. */
export interface Response {
  description: string;
  /** Shape of the JSON body; none for other kinds. */
  schema?: Schema<unknown>;
  /** Name of the schema in the OpenAPI document. */
  name?: string;
  /** Content-Type, default application/json. */
  type?: string;
}

/** One entry of the route table: what is served, and everything its documentation says. */
export interface Route<C> {
  method: 'GET' | 'POST' | 'DELETE';
  /** Segments beginning with `:` are parameters. */
  path: string;
  summary: string;
  /** `token`: a valid token is needed; `open`: none; `metrics`: as the configuration says. */
  access: 'token' | 'open' | 'metrics';
  pathParameters?: Readonly<Record<string, Schema<unknown>>>;
  queryParameters?: Readonly<Record<string, Schema<unknown>>>;
  responses: Readonly<Record<number, Response>>;
  handle(context: C, parameters: Parameters): Promise<Reply> | Reply;
}

/** Type of a query or path parameter. */
export type ParameterOf<S> = Infer<S>;

interface Compiled<C> {
  route: Route<C>;
  segments: readonly string[];
}

/** A route table in use. */
export class Router<C> {
  readonly #routes: readonly Compiled<C>[];
  readonly #tokens: Tokens;
  readonly #metricsOpen: boolean;

  constructor(routes: readonly Route<C>[], tokens: Tokens, metricsOpen: boolean) {
    this.#routes = routes.map((route) => ({ route, segments: route.path.split('/') }));
    this.#tokens = tokens;
    this.#metricsOpen = metricsOpen;
  }

  /**
   * Answers a request.
   * @returns null when the path is not of the table (a page, perhaps).
   * @throws Problem
   */
  async handle(request: Request, context: C): Promise<Reply | null> {
    const segments = request.path.split('/');
    const here = this.#routes.filter((compiled) => matches(compiled.segments, segments));
    if (here.length === 0) {
      if (!request.path.startsWith('/api/')) return null;
      this.#authorize(request, 'token');
      throw new Problem(404, 'There is nothing here; see /api/v1/openapi.json.');
    }
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const found = here.find((compiled) => compiled.route.method === method);
    if (found === undefined) {
      const allow = here.map((compiled) => compiled.route.method).join(', ');
      throw new Problem(405, `Allowed here: ${allow}.`, { allow });
    }
    this.#authorize(request, found.route.access);
    return found.route.handle(context, readParameters(found, segments, request.query));
  }

  /** Name of the token of a request, for the log; null when it has none of ours. */
  whoIs(request: Request): string | null {
    return this.#tokens.identify(request.token);
  }

  #authorize(request: Request, access: Route<C>['access']): void {
    if (access === 'open' || (access === 'metrics' && this.#metricsOpen)) return;
    if (this.#tokens.identify(request.token) !== null) return;
    const detail = request.token === '' ? 'An API token is needed' : 'This is not a valid API token';
    throw new Problem(401, `${detail}: send it as "Authorization: Bearer TOKEN" or "?token=TOKEN".`);
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, i) => (part.startsWith(':') ? segments[i] !== '' : part === segments[i]))
  );
}

function readParameters<C>(
  compiled: Compiled<C>,
  segments: readonly string[],
  query: URLSearchParams,
): Parameters {
  const { pathParameters = {}, queryParameters = {} } = compiled.route;
  const values: Record<string, string | number | undefined> = {};
  for (const [i, part] of compiled.segments.entries())
    if (part.startsWith(':'))
      values[part.slice(1)] = readPath(part.slice(1), segments[i] ?? '', pathParameters);
  for (const name of query.keys())
    if (name !== 'token' && !Object.hasOwn(queryParameters, name))
      throw new Problem(
        400,
        `Unknown parameter "${name}"; allowed: ${Object.keys(queryParameters).join(', ') || 'none'}.`,
      );
  for (const [name, schema] of Object.entries(queryParameters)) {
    const text = query.get(name);
    values[name] =
      text === null ? (schema.default as string | number | undefined) : readValue(name, text, schema);
  }
  return values;
}

function readPath(
  name: string,
  encoded: string,
  schemas: Readonly<Record<string, Schema<unknown>>>,
): string | number {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    throw new Problem(400, `"${name}" is not validly percent-encoded.`);
  }
  const schema = schemas[name];
  if (schema?.pattern && !new RegExp(schema.pattern).test(text))
    throw new Problem(404, `There is no such ${name}.`);
  return text;
}

function readValue(name: string, text: string, schema: Schema<unknown>): string | number {
  const wrong = new Problem(400, `Parameter "${name}": allowed is ${allowed(schema)}.`, { parameter: name });
  if (schema.type === 'integer') {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < (schema.minimum ?? 0) || value > (schema.maximum ?? Infinity))
      throw wrong;
    return value;
  }
  if (schema.enum && !schema.enum.includes(text)) throw wrong;
  if (text.length > (schema.maxLength ?? Infinity) || text.length < (schema.minLength ?? 0)) throw wrong;
  if (schema.pattern && !new RegExp(schema.pattern).test(text)) throw wrong;
  return text;
}
