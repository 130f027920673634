/** Entry of the page at `/lab`. */
import '../ui/tokens.css';
import './lab.css';
import { mount } from 'svelte';
import { applyTheme, readTheme } from '../ui/theme.ts';
import App from './App.svelte';
import { loadCore } from './core-module.ts';
import { exposeHook } from './hook.ts';
import { Lab } from './lab.svelte.ts';
import { readLink } from './link.ts';

applyTheme(readTheme());
const core = await loadCore();
let trouble = '';
let lab: Lab;
try {
  lab = new Lab(core.module, core.sha256, (await readLink(location.hash)) ?? undefined);
} catch (error) {
  trouble = (error as Error).message;
  lab = new Lab(core.module, core.sha256);
}
exposeHook(lab);
mount(App, { target: document.body, props: { lab, core, trouble } });
