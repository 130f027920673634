/** Schemas and values in words, for error messages and reference pages. */
import type { Schema } from './builder.ts';

/** What was found, shown so that it can be recognised, but never a secret. */
export function found(value: unknown, schema: Schema<unknown> | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (schema?.secret) return `a secret of ${String(value).length} characters (not shown)`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a section';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

const TYPE_NAMES: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section',
  null: 'null',
};

/** What a schema allows, in words. */
export function allowed(schema: Schema<unknown>): string {
  if (schema.enum) return schema.enum.map((word) => `"${word}"`).join(', ');
  if (schema.expects) return schema.expects;
  const names = [schema.type].flat().map((name) => TYPE_NAMES[name] ?? name);
  if (schema.type === 'integer') return `${names[0]} from ${schema.minimum} to ${schema.maximum}`;
  if (schema.type === 'array' && schema.minItems) return `a list of ${schema.minItems} to ${schema.maxItems}`;
  if (schema.type === 'string') return `text of ${schema.minLength} to ${schema.maxLength} characters`;
  return names.join(' or ');
}
