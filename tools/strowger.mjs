#!/usr/bin/env node
/** The `strowger` command, for `npx strowger` and `npm link`: the task of that name. */
process.argv.splice(2, 0, 'strowger');
await import('./run.mjs');
