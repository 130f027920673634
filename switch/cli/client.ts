/** The API of a switch, as the command uses it. */
import { readRunFiles, type RunFile } from '../supervisor/run-file.ts';

/** What went wrong, in words for an operator. `exitCode`: 1 refused, 2 wrong usage, 3 can't be reached. */
export class CommandError extends Error {
  readonly exitCode: 1 | 2 | 3;

  constructor(message: string, exitCode: 1 | 2 | 3) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Which switch. */
export interface Where {
  url?: string | undefined;
  token?: string | undefined;
  name?: string | undefined;
}

const TIMEOUT_MS = 5_000;

export class Client {
  readonly name: string;
  readonly #url: string;
  readonly #token: string;

  constructor({ name, url, token }: Pick<RunFile, 'name' | 'url' | 'token'>) {
    this.name = name;
    this.#url = url.endsWith('/') ? url : `${url}/`;
    this.#token = token;
  }

  /**
   * The switch that is named, or the only one that this user runs.
   * @throws CommandError
   */
  static find({ url, token, name }: Where, runs: readonly RunFile[] = readRunFiles()): Client {
    if (url !== undefined) {
      if (!URL.canParse(url))
        throw new CommandError(`--url ${url}: no URL, such as http://127.0.0.1:8080/`, 2);
      return new Client({ name: url, url, token: token ?? '' });
    }
    const fitting = runs.filter((run) => name === undefined || run.name === name);
    const [run] = fitting;
    if (run === undefined) {
      const others = runs.map((one) => one.name).join(', ');
      throw new CommandError(
        runs.length === 0
          ? 'no switch of this user runs on this machine: start one (npm start), or say where with --url and --token'
          : `no switch is called ${name}; there is: ${others}`,
        3,
      );
    }
    if (fitting.length > 1)
      throw new CommandError(
        `several switches run: ${fitting.map((one) => `${one.name} (${one.url})`).join(', ')}; say which with --name or --url`,
        2,
      );
    return new Client({ ...run, token: token ?? run.token });
  }

  /** @throws CommandError */
  async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: string): Promise<T> {
    const url = new URL(path, `${this.#url}api/v1/`);
    let answer: Response;
    try {
      answer = await fetch(url, {
        method,
        headers: this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } };
      throw new CommandError(
        `${url.origin} can't be reached (${cause?.code ?? message}): does the switch run?`,
        3,
      );
    }
    const body = (await answer.json().catch(() => ({}))) as T & { detail?: string };
    if (answer.ok) return body;
    if (answer.status === 401)
      throw new CommandError(
        'the switch wants an API token: give one with --token or STROWGER_TOKEN; http.tokens in the configuration has them',
        1,
      );
    throw new CommandError(body.detail ?? `the switch answers ${answer.status}`, 1);
  }

  /** All entries of a list that comes in pages. */
  async all<T>(path: string, field: string, search?: string): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query = new URLSearchParams({ limit: '500' });
      if (cursor !== '') query.set('cursor', cursor);
      if (search !== undefined) query.set('search', search);
      const page: Record<string, unknown> = await this.ask('GET', `${path}?${query}`);
      items.push(...(page[field] as T[]));
      cursor = (page['next'] ?? null) as string | null;
    }
    return items;
  }
}
