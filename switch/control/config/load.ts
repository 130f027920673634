/** Reads the configuration: file → YAML → schema → cross checks → addresses resolved. */
import { access, constants, readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { checkMeaning } from './check.ts';
import { CONFIG_BYTES_MAX, ConfigDocument } from './document.ts';
import { ConfigError, type ConfigProblem, formatPath } from './errors.ts';
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
  await resolveFiles(document, config, dirname(path));
  const endpoints = await resolveEndpoints(document, config);
  return { file: path, config, endpoints };
}

/** Makes the paths of files absolute: they are relative to the configuration. */
async function resolveFiles(document: ConfigDocument, config: Config, folder: string): Promise<void> {
  const problems: ConfigProblem[] = [];
  const { recording, store } = config;
  recording.folder = resolve(folder, recording.folder);
  recording.crashFolder = resolve(folder, recording.crashFolder);
  if (recording.keyFile !== undefined) recording.keyFile = resolve(folder, recording.keyFile);
  if (store.file !== undefined) store.file = resolve(folder, store.file);
  for (const key of ['certificate', 'key'] as const) {
    const name = config.http[key];
    if (name === undefined) continue;
    const file = resolve(folder, name);
    config.http[key] = file;
    const reason = await access(file, constants.R_OK).then(
      () => null,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (reason === null) continue;
    const path = ['http', key];
    problems.push({
      ...document.position(path),
      key: formatPath(path),
      message: `${file} cannot be read (${reason})`,
    });
  }
  if (problems.length > 0) throw new ConfigError(document.file, problems);
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
