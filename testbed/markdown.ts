/** Vite: `import html from 'page.md?html'` is a Markdown file of this repository as HTML, made while the pages are built. */
import { readFileSync } from 'node:fs';
import { marked } from 'marked';
import type { Plugin } from 'vite';

const QUERY = '.md?html';

export function markdown(): Plugin {
  return {
    name: 'markdown',
    load(id) {
      if (!id.endsWith(QUERY)) return undefined;
      const file = id.slice(0, id.indexOf('?'));
      this.addWatchFile(file);
      const html = marked.parse(readFileSync(file, 'utf8'), { async: false });
      return { code: `export default ${JSON.stringify(html)};`, moduleType: 'js' };
    },
  };
}
