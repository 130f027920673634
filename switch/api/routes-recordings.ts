/** /api/v1/recordings: what was recorded of the core (docs/recording.md). */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { listRecordings, RECORDING_NAME } from '../recording/folder.ts';
import { text } from '../schema/builder.ts';
import type { ApiContext } from './context.ts';
import { json } from './exchange.ts';
import { Problem } from './problem.ts';
import type { Route } from './router.ts';
import { recordedSchema, recordingsSchema } from './shapes.ts';

const UNAUTHORIZED = { 401: { description: 'No valid token.' } };
const name = text('Name of a recording.', { pattern: RECORDING_NAME, expects: 'a name from the list' });

/** The routes. */
export const recordingRoutes: readonly Route<ApiContext>[] = [
  {
    method: 'POST',
    path: '/api/v1/recordings',
    summary: 'Writes what has been recorded to a file, now; recording goes on.',
    access: 'token',
    responses: {
      201: { description: 'Written.', schema: recordedSchema, name: 'Recorded' },
      ...UNAUTHORIZED,
      409: { description: 'Nothing is being recorded.' },
    },
    async handle({ recorder }) {
      if (!recorder?.read().recording)
        throw new Problem(
          409,
          'Nothing is being recorded: see recording.mode in the configuration, and the log.',
        );
      return json(await recorder.dump(), 201);
    },
  },
  {
    method: 'GET',
    path: '/api/v1/recordings',
    summary: 'Recordings in the folder.',
    access: 'token',
    responses: {
      200: { description: 'All of them.', schema: recordingsSchema, name: 'Recordings' },
      ...UNAUTHORIZED,
    },
    async handle({ config, recorder }) {
      return json({
        recording: recorder?.read().recording ?? false,
        recordings: await listRecordings(config.recording.folder),
      });
    },
  },
  {
    method: 'GET',
    path: '/api/v1/recordings/:name',
    summary: 'One recording, encrypted as it is.',
    access: 'token',
    pathParameters: { name },
    responses: {
      200: { description: 'The file.', type: 'application/octet-stream' },
      ...UNAUTHORIZED,
      404: { description: 'There is no such recording.' },
    },
    async handle({ config }, parameters) {
      const file = String(parameters['name']);
      const path = join(config.recording.folder, file);
      const found = await stat(path).catch(() => null);
      if (found === null) throw new Problem(404, 'There is no such recording.');
      return {
        status: 200,
        type: 'application/octet-stream',
        headers: { 'cache-control': 'no-store', 'content-disposition': `attachment; filename="${file}"` },
        file: { path, bytes: found.size },
      };
    },
  },
];
