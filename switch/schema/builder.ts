/**
 * Small builders for JSON Schema (draft-07), so that the configuration's schema, its TypeScript type and its
 * reference page come from one description. Every property is either given a default, required, or optional.
 */

/** A JSON Schema whose valid values have type `T`. */
export interface Schema<T> {
  readonly type: string | readonly string[];
  readonly description: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** What a value looks like, for error messages and the reference. */
  readonly expects?: string;
  /** The value must never be printed. */
  readonly secret?: boolean;
  readonly items?: Schema<unknown>;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema<unknown>>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false | Schema<unknown>;
  /** Only for the type checker; never present. */
  readonly $value?: T;
}

/** Type of the values that a schema accepts. */
export type Infer<S> = S extends Schema<infer T> ? T : never;

/** Marks a property that may be left out and then is undefined. */
export type Optional<T> = Schema<T> & { readonly optional: true };

type Properties = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<P> = { [K in keyof P]: P[K] extends { readonly optional: true } ? K : never }[keyof P];
type Values<P> = { [K in Exclude<keyof P, OptionalKeys<P>>]: Infer<P[K]> } & {
  [K in OptionalKeys<P>]?: Infer<P[K]>;
};
/** Flattens an intersection for readable editor hints. */
type Flat<T> = { [K in keyof T]: T[K] };

interface TextOptions {
  default?: string;
  examples?: readonly string[];
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  expects?: string;
  secret?: boolean;
}

/** A string. Without a default it is required, unless made {@link optional}. */
export function text(description: string, options: TextOptions = {}): Schema<string> {
  return { type: 'string', description, minLength: 1, maxLength: 256, ...options };
}

/** A string of any length, for answers. */
export function anyText(description: string): Schema<string> {
  return { type: 'string', description };
}

/** One of a fixed set of words. */
export function choice<const V extends string>(
  description: string,
  values: readonly V[],
  fallback?: V,
): Schema<V> {
  return {
    type: 'string',
    description,
    enum: values,
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

/** A whole number in `minimum..maximum`. */
export function whole(
  description: string,
  range: { default?: number; minimum: number; maximum: number },
): Schema<number> {
  return { type: 'integer', description, ...range };
}

/** true or false. */
export function flag(description: string, fallback: boolean): Schema<boolean> {
  return { type: 'boolean', description, default: fallback };
}

/** A number, for measurements. Always present. */
export function real(description: string): Schema<number> {
  return { type: 'number', description };
}

/** A value that may be null. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return { ...schema, type: [...[schema.type].flat(), 'null'] };
}

/** An object with keys that are not known in advance, all of the same kind. */
export function dictionary<T>(description: string, values: Schema<T>): Schema<Record<string, T>> {
  return { type: 'object', description, additionalProperties: values };
}

/** A list; empty by default unless `options.minItems` is given. */
export function list<T>(
  description: string,
  items: Schema<T>,
  options: {
    minItems?: number;
    maxItems?: number;
    default?: readonly T[];
    examples?: readonly unknown[];
  } = {},
): Schema<T[]> {
  const fallback = options.minItems && !options.default ? {} : { default: options.default ?? [] };
  return { type: 'array', description, items, maxItems: 10_000, ...fallback, ...options };
}

/** The required keys of an object: those with neither default nor `optional`. */
function requiredOf(properties: Properties): string[] {
  return Object.entries(properties)
    .filter(([, schema]) => schema.default === undefined && !('optional' in schema))
    .map(([key]) => key);
}

/** An object with exactly these keys; as an item of a list, or required. */
export function record<P extends Properties>(description: string, properties: P): Schema<Flat<Values<P>>> {
  return {
    type: 'object',
    description,
    properties,
    required: requiredOf(properties),
    additionalProperties: false,
  };
}

/** An object whose keys all have defaults, so that it may be left out altogether. */
export function section<P extends Properties>(description: string, properties: P): Schema<Flat<Values<P>>> {
  return { ...record(description, properties), default: {} };
}

/** Makes a property one that may be left out. */
export function optional<T>(schema: Schema<T>): Optional<T> {
  return { ...schema, optional: true };
}

/** A string, or an object whose required key stands for it when written in full. */
export function textOr<T>(short: Schema<string>, full: Schema<T>): Schema<string | T> {
  return { ...full, ...short, type: ['string', 'object'], description: full.description };
}
