/** The reference pages that are generated from the sources. */
import { resolve } from 'node:path';
import { apiPage } from './api-page.ts';
import { configPage } from './config-page.ts';
import { metricsPage } from './metrics-page.ts';

const FOLDER = resolve(import.meta.dirname, '../../docs/reference');

/** One page. */
export interface ReferencePage {
  /** Absolute path. */
  file: string;
  /** What it must contain. */
  text(): string;
}

/** All of them. */
export const referencePages: readonly ReferencePage[] = [
  { file: resolve(FOLDER, 'config.md'), text: configPage },
  { file: resolve(FOLDER, 'api.md'), text: apiPage },
  { file: resolve(FOLDER, 'metrics.md'), text: metricsPage },
];
