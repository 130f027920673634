/** The web pages: each `index.html` below is one, at the path of its folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { markdown } from './markdown.ts';

const ROOT = import.meta.dirname;

/** In the order of the navigation; a page without a file isn't built and isn't linked. */
const PAGES = [
  { path: '/', file: 'index.html', label: 'Softphone' },
  { path: '/console', file: 'console/index.html', label: 'Console' },
  { path: '/lab', file: 'lab/index.html', label: 'Lab' },
].filter(({ file }) => existsSync(join(ROOT, file)));

/** Where `vite` alone finds a switch: npm start. */
const SWITCH = 'http://127.0.0.1:8080';

const shared = { plugins: [svelte({ configFile: false, preprocess: vitePreprocess() }), markdown()] };
// Top-level await, CSS nesting and light-dark().
const target = ['chrome123', 'firefox128', 'safari17.5'];

/** The lab alone, for any web server and any path: `npm run build:lab`. */
const lab = defineConfig({
  ...shared,
  root: join(ROOT, 'lab'),
  base: './',
  publicDir: join(ROOT, 'public'),
  define: { __PAGES__: '[]' },
  build: {
    outDir: join(ROOT, '../build/lab'),
    emptyOutDir: true,
    target,
    modulePreload: { polyfill: false },
  },
});

const site = defineConfig({
  ...shared,
  root: ROOT,
  define: { __PAGES__: JSON.stringify(PAGES.map(({ path, label }) => ({ path, label }))) },
  build: {
    outDir: join(ROOT, 'dist'),
    emptyOutDir: true,
    target,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: PAGES.map(({ file }) => join(ROOT, file)) },
  },
  server: { proxy: { '/sip': { target: SWITCH, ws: true, rewriteWsOrigin: true }, '/api': SWITCH } },
});

export default defineConfig(({ mode }) => (mode === 'lab' ? lab : site));
