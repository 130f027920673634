/** Completion of the command in bash. */
import { COMMANDS } from './commands.ts';

/** A script for `eval`. */
export function completion(): string {
  const options = Object.values(COMMANDS).flatMap(({ options: own = [] }) => own.map((name) => `--${name}`));
  const words = [...Object.keys(COMMANDS), 'completion'].join(' ');
  return `_strowger() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W '${words}' -- "$word"))
  else COMPREPLY=($(compgen -W '${[...options, '--name', '--url', '--token', '--json', '--help'].join(' ')}' -- "$word"))
  fi
}
complete -F _strowger strowger
`;
}
