/** `strowger`: an operator's command. */
import { parseArgs } from 'node:util';
import { Client, CommandError } from './client.ts';
import { COMMANDS } from './commands.ts';
import { completion } from './completion.ts';
import { table } from './table.ts';

function usage(): string {
  const commands = Object.entries(COMMANDS).map(([name, { usage: words, what }]) => [
    `  ${name} ${words}`.trimEnd(),
    what,
  ]);
  return `Usage: strowger COMMAND [options]

${table([...commands, ['  completion', 'for bash: eval "$(strowger completion)"']])}

  --name NAME    which switch of this machine: the name in its configuration; default: the only one
  --url URL      where it is; default: what this user has started on this machine
  --token TOKEN  API token; default: STROWGER_TOKEN, else the one that was made at its start
  --json         what the API said
  --help         show this
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the switch can't be reached.
`;
}

/** @throws CommandError */
async function main(args: string[]): Promise<void> {
  const switches = new Set(Object.values(COMMANDS).flatMap(({ options = [] }) => options));
  const flags = Object.fromEntries([...switches].map((name) => [name, { type: 'boolean' as const }]));
  let parsed: ReturnType<typeof parseAll>;
  const parseAll = () =>
    parseArgs({
      args,
      allowPositionals: true,
      options: {
        ...flags,
        name: { type: 'string' },
        url: { type: 'string' },
        token: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  try {
    parsed = parseAll();
  } catch (error) {
    throw new CommandError(`${(error as Error).message}\n\n${usage()}`, 2);
  }
  const values = parsed.values as Record<string, string | boolean | undefined>;
  const [name, ...words] = parsed.positionals;
  if (values['help'] === true) return void process.stdout.write(usage());
  if (name === 'completion') return void process.stdout.write(completion());
  const command = name === undefined ? undefined : COMMANDS[name];
  if (command === undefined)
    throw new CommandError(
      `${name === undefined ? 'which command?' : `there is no command ${name}`}\n\n${usage()}`,
      2,
    );
  const [least, most] = command.words;
  const given = new Set([...switches].filter((each) => values[each] === true));
  const strange = [...given].find((each) => !command.options?.includes(each));
  if (words.length < least || words.length > most || strange !== undefined)
    throw new CommandError(`usage: strowger ${name} ${command.usage}`.trimEnd(), 2);
  const client = Client.find({
    url: values['url'] as string | undefined,
    token: (values['token'] as string | undefined) ?? (process.env['STROWGER_TOKEN'] || undefined),
    name: values['name'] as string | undefined,
  });
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const { json, text } = await command.run(client, words, given, say);
  process.stdout.write(values['json'] === true ? `${JSON.stringify(json, null, 1)}\n` : `${text}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  process.stderr.write(`strowger: ${error.message}\n`);
  process.exitCode = error.exitCode;
}
