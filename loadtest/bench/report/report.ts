/** Writes what can be made of a results file: its pictures, and docs/PERFORMANCE.md of the reference results. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../../switch/test/e2e/harness/repository.ts';
import { readResults, resultsFile } from '../results.ts';
import { type Goal, goals, outcome } from './goals.ts';
import { markdown } from './markdown.ts';
import { pictures } from './pictures.ts';
import { drawPicture } from './svg.ts';

/** The results that are kept in the repository and shown in docs/PERFORMANCE.md. */
export const REFERENCE = 'reference';

const DOCUMENT = join(REPOSITORY, 'docs/PERFORMANCE.md');
const BEGIN = '<!-- begin: written by `npm run bench -- report --save` -->';
const END = '<!-- end -->';

/**
 * Writes the report on the results of that name. Returns the files that it wrote.
 * @throws when there are no such results
 */
export function writeReport(name: string): string[] {
  const results = readResults(name);
  if (Object.keys(results).length === 0) throw new Error(`there is no ${resultsFile(name, 'json')}`);
  const written: string[] = [];
  const write = (file: string, text: string) => {
    writeFileSync(file, text);
    written.push(file);
  };
  for (const [end, picture] of Object.entries(pictures(results))) {
    write(resultsFile(`${name}-${end}`, 'svg'), drawPicture(picture));
  }
  if (name === REFERENCE) {
    const text = markdown(results, (end) => `../loadtest/results/${name}-${end}.svg`);
    write(DOCUMENT, replaceBetween(readFileSync(DOCUMENT, 'utf8'), text));
  } else {
    write(
      resultsFile(name, 'md'),
      markdown(results, (end) => `${name}-${end}.svg`),
    );
  }
  return written;
}

/** The document with `text` between its markers. @throws when it has none */
export function replaceBetween(document: string, text: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`no "${BEGIN}" with "${END}" after it`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${text}\n${document.slice(end)}`;
}

/** The figures to reach as lines of text, for the end of a run. */
export function goalLines(name: string): string[] {
  const lines = goals(readResults(name)).filter((one) => outcome(one) !== 'not measured');
  const width = Math.max(...lines.map(({ figure }) => figure.length), 0);
  return lines.map((one) => {
    const bounds = [one.goal, ...(one.atLeast ? [one.atLeast] : [])].map(
      ({ atMost, value }) => `${atMost ? '≤' : '≥'} ${value}`,
    );
    return `${one.figure.padEnd(width)}  ${measured(one).padStart(9)}  ${bounds.join(' / ').padEnd(15)} ${outcome(one)}`;
  });
}

function measured({ measured: value = Number.NaN, unit }: Goal): string {
  return `${unit === '' ? value.toFixed(2) : Math.round(value)} ${unit}`.trim();
}
