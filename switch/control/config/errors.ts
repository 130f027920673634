/** Errors of the configuration, each with its place in the file. */

/** One thing that is wrong. */
export interface ConfigProblem {
  /** 1-based; 0 when it belongs to no line. */
  line: number;
  /** 1-based. */
  column: number;
  /** Where in the configuration, such as `users[2].password`; '' = the whole. */
  key: string;
  /** What was found, what is allowed. Never a secret. */
  message: string;
}

/** Thrown for a configuration that cannot be used. Its message has one line per problem. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const inOrder = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    super(inOrder.map((problem) => formatProblem(file, problem)).join('\n'));
    this.file = file;
    this.problems = inOrder;
  }
}

/** `file:line:column: key: message`. */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const place = problem.line > 0 ? `${file}:${problem.line}:${problem.column}` : file;
  return problem.key === '' ? `${place}: ${problem.message}` : `${place}: ${problem.key}: ${problem.message}`;
}

/** A path into the configuration. */
export type Path = readonly (string | number)[];

/** `users[2].password`. */
export function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
