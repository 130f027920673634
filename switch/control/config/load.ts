/** Reads the configuration: file → YAML → schema → cross checks → addresses resolved. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { checkMeaning } from './check.ts';
import { CONFIG_BYTES_MAX, ConfigDocument } from './document.ts';
import { ConfigError } from './errors.ts';
import { type Endpoints, resolveEndpoints } from './endpoints.ts';
import type { Config } from './schema.ts';
import { validate } from './validate.ts';

/** A usable configuration. */
export interface LoadedConfig {
  /** Absolute path of the file. */
  file: string;
  config: Config;
  /** Listeners with their host names resolved. */
  endpoints: Endpoints;
}

/**
 * Reads and checks a configuration file.
 * @throws ConfigError with every problem found, each with its line.
 */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const path = resolve(file);
  const source = await readSource(file, path);
  return parseConfig(file, source, path);
}

/** The same from text; `file` is used in messages only. */
export async function parseConfig(file: string, source: string, path: string = file): Promise<LoadedConfig> {
  const document = new ConfigDocument(file, source);
  const config = validate(document);
  checkMeaning(document, config);
  const endpoints = await resolveEndpoints(document, config);
  return { file: path, config, endpoints };
}

async function readSource(file: string, path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= CONFIG_BYTES_MAX) return await readFile(path, 'utf8');
    throw fileProblem(file, `${size} bytes; a configuration has at most ${CONFIG_BYTES_MAX}`);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw fileProblem(file, code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`);
  }
}

function fileProblem(file: string, message: string): ConfigError {
  return new ConfigError(file, [{ line: 0, column: 0, key: '', message }]);
}
