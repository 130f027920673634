/** Checks values against the schema, and turns what Ajv finds into messages an operator can act on. */
import { Ajv, type ErrorObject } from 'ajv';
import type { ConfigDocument } from './document.ts';
import { ConfigError, type ConfigProblem, formatPath, type Path } from './errors.ts';
import { nearest } from './nearest.ts';
import { type Config, configSchema } from './schema.ts';
import type { Schema } from '../../schema/builder.ts';
import { allowed, found } from '../../schema/words.ts';

const ajv = new Ajv({ allErrors: true, useDefaults: true, allowUnionTypes: true, verbose: true });
ajv.addVocabulary(['optional', 'expects', 'secret']);
const check = ajv.compile(configSchema);

/** Problems reported at once; a file of another kind would give thousands. */
const PROBLEMS_MAX = 20;

/**
 * Fills in the defaults and checks the values.
 * @throws ConfigError
 */
export function validate(document: ConfigDocument): Config {
  const values = document.values(configSchema) ?? {};
  if (check(values)) return values as Config;
  const problems = (check.errors ?? []).slice(0, PROBLEMS_MAX).map((error) => problemOf(document, error));
  throw new ConfigError(document.file, problems);
}

/** `/users/2/password` → `['users', 2, 'password']` (RFC 6901). */
function pathOf(pointer: string): (string | number)[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function problemOf(document: ConfigDocument, error: ErrorObject): ConfigProblem {
  const path = pathOf(error.instancePath);
  const schema = error.parentSchema as unknown as Schema<unknown>;
  if (error.keyword === 'additionalProperties') return unknownKey(document, path, schema, error);
  if (error.keyword === 'required') {
    const missing = String(error.params['missingProperty']);
    const wanted = schema.properties?.[missing];
    const hint = wanted ? `: ${wanted.description}` : '';
    return { ...document.position(path), key: formatPath([...path, missing]), message: `missing${hint}` };
  }
  const message = `found ${found(error.data, schema)}; allowed: ${allowed(schema)}`;
  return { ...document.position(path), key: formatPath(path), message };
}

function unknownKey(
  document: ConfigDocument,
  path: Path,
  schema: Schema<unknown>,
  error: ErrorObject,
): ConfigProblem {
  const key = String(error.params['additionalProperty']);
  const known = Object.keys(schema.properties ?? {});
  const near = nearest(key, known);
  const hint = near ? `did you mean "${near}"? ` : '';
  return {
    ...document.position(path, key),
    key: formatPath([...path, key]),
    message: `unknown key; ${hint}allowed here: ${known.join(', ')}`,
  };
}
