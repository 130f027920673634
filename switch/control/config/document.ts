/** A YAML document as values plus the place of each in the file. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { ConfigError, type ConfigProblem, type Path } from './errors.ts';
import type { Schema } from '../../schema/builder.ts';

/** Largest configuration file. */
export const CONFIG_BYTES_MAX = 16 << 20;

/** True when a text is allowed where this schema stands. */
function takesText(schema: Schema<unknown> | undefined): boolean {
  return schema !== undefined && (schema.type === 'string' || schema.type.includes('string'));
}

/** A parsed file. */
export class ConfigDocument {
  readonly file: string;
  readonly #lines = new LineCounter();
  readonly #root: Node | null;
  readonly #document;

  /** @throws ConfigError for text that is not YAML, with the line of each mistake. */
  constructor(file: string, source: string) {
    this.file = file;
    this.#document = parseDocument(source, {
      lineCounter: this.#lines,
      prettyErrors: false,
      merge: true,
      uniqueKeys: true,
    });
    const problems = this.#document.errors.map((error): ConfigProblem => {
      const { line, col } = this.#lines.linePos(error.pos[0]);
      return { line, column: col, key: '', message: `not valid YAML: ${error.message}` };
    });
    if (problems.length > 0) throw new ConfigError(file, problems);
    this.#root = this.#document.contents;
  }

  /**
   * The values. A plain number where the schema wants text keeps its digits as written, so that `prefix: 0049`
   * is not read as 49.
   */
  values(schema: Schema<unknown>): unknown {
    return this.#value(this.#root, schema);
  }

  #value(node: unknown, schema: Schema<unknown> | undefined): unknown {
    if (isAlias(node)) return this.#value(node.resolve(this.#document), schema);
    if (isScalar(node)) {
      if (typeof node.value === 'number' && takesText(schema)) return node.source ?? String(node.value);
      return node.value;
    }
    if (isSeq(node)) return node.items.map((item) => this.#value(item, schema?.items));
    if (isMap(node)) {
      const entries = node.items.map((pair) => {
        const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
        return [key, this.#value(pair.value, schema?.properties?.[key])] as const;
      });
      return Object.fromEntries(entries);
    }
    return null;
  }

  /** Where the value at `path` stands; with `ofKey`, where that key of it is written. The nearest parent when it is absent. */
  position(path: Path, ofKey?: string): { line: number; column: number } {
    let node: unknown = this.#root;
    let at = this.#offset(node) ?? 0;
    for (const step of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      const key = isMap(node)
        ? node.items.find((pair) => isScalar(pair.key) && pair.key.value === step)?.key
        : undefined;
      if (isMap(node)) node = node.get(step, true);
      else if (isSeq(node) && typeof step === 'number') node = node.items[step];
      else break;
      at = this.#offset(node) ?? this.#offset(key) ?? at;
    }
    if (ofKey !== undefined && isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === ofKey);
      at = this.#offset(pair?.key) ?? at;
    }
    const { line, col } = this.#lines.linePos(at);
    return { line, column: col };
  }

  #offset(node: unknown): number | undefined {
    const range = (node as { range?: readonly [number, number, number] | null } | null | undefined)?.range;
    return range?.[0];
  }
}
