/** Writes the reference pages: `node switch/reference/write.ts`. A test fails when they are not current. */
import { writeFileSync } from 'node:fs';
import { referencePages } from './pages.ts';

for (const page of referencePages) writeFileSync(page.file, page.text());
