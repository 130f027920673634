/** The project's pages about its checkers, as HTML. A module of its own, so that it is loaded when somebody wants to read. */
const PAGES = import.meta.glob<string>('../../docs/checkers/*.md', {
  query: '?html',
  import: 'default',
  eager: true,
});

/** The list of all. */
export const RULES_LIST = 'README';

/** By checker, and `RULES_LIST`. */
export const RULES: ReadonlyMap<string, string> = new Map(
  Object.entries(PAGES).map(([path, html]) => [path.slice(path.lastIndexOf('/') + 1, -'.md'.length), html]),
);
