/** A slow, simple reader of SIP messages, written apart from the core's, to compare with. */
const COMPACT: Record<string, string> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  l: 'content-length',
  s: 'subject',
  m: 'contact',
};

export interface ReadMessage {
  start: string;
  body: string;
  first(name: string): string | undefined;
  /** All values of a header, lists taken apart at commas outside of quotes. */
  values(name: string): string[];
}

export function readMessage(bytes: Uint8Array): ReadMessage {
  const text = Buffer.from(bytes).toString('latin1');
  const split = text.indexOf('\r\n\r\n');
  const [start = '', ...unfolded] = text
    .slice(0, split)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const fields = unfolded.map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    return { name: COMPACT[name] ?? name, value: line.slice(colon + 1).trim() };
  });
  const all = (name: string) => fields.filter((field) => field.name === name).map(({ value }) => value);
  return {
    start,
    body: Buffer.from(text.slice(split + 4), 'latin1').toString('utf8'),
    first: (name) => all(name)[0],
    values: (name) => all(name).flatMap(splitList),
  };
}

function splitList(value: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    if (value[i] === '\\' && quoted) i++;
    else if (value[i] === '"') quoted = !quoted;
    else if (value[i] === ',' && !quoted) {
      parts.push(value.slice(from, i).trim());
      from = i + 1;
    }
  }
  return [...parts, value.slice(from).trim()];
}
