/** Entry of the page at `/`. */
import '../ui/tokens.css';
import { mount } from 'svelte';
import { applyTheme, readTheme } from '../ui/theme.ts';
import App from './App.svelte';
import { tabInstanceId } from './browser/instance.ts';
import { readPrefill, withoutPassword } from './browser/prefill.ts';
import { exposeHook } from './hook.ts';
import { Softphone } from './softphone.svelte.ts';

applyTheme(readTheme());
const prefill = readPrefill(location);
if (prefill.account.password !== undefined) history.replaceState(null, '', withoutPassword(location.href));

const softphone = new Softphone(await tabInstanceId());
if (prefill.voiceProcessing !== null) softphone.settings.voiceProcessing = prefill.voiceProcessing;
exposeHook(softphone);
mount(App, { target: document.body, props: { softphone, prefill } });
