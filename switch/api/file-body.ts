/** A file as the body of an answer: read piece by piece, as fast as the client takes it. */
import { type FileHandle, open } from 'node:fs/promises';
import type { HttpResponse } from 'uWebSockets.js';
import type { Client } from './exchange.ts';

const PIECE_BYTES = 256 * 1024;

/** Sends it; the headers are written. A file that turns out shorter, or can't be read, closes the connection. */
export async function sendFile(
  res: HttpResponse,
  { path, bytes }: { path: string; bytes: number },
  client: Client,
): Promise<void> {
  let file: FileHandle | null = null;
  try {
    file = await open(path);
    const piece = new Uint8Array(PIECE_BYTES);
    for (let at = 0; at < bytes && !client.gone; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, bytes - at), at);
      if (bytesRead === 0) throw new Error('the file has become shorter');
      if (!client.gone) await sendPiece(res, piece.subarray(0, bytesRead), bytes, client);
      at += bytesRead;
    }
  } catch {
    if (!client.gone) res.close();
  } finally {
    await file?.close();
  }
}

/** Resolves when all of it was taken, or the client has gone. */
function sendPiece(res: HttpResponse, piece: Uint8Array, total: number, client: Client): Promise<void> {
  const begin = res.getWriteOffset();
  return new Promise((resolve) => {
    client.onGone = resolve;
    res.cork(() => {
      const [taken] = res.tryEnd(piece, total);
      if (taken) resolve();
      else
        res.onWritable((offset) => {
          const [all] = res.tryEnd(piece.subarray(offset - begin), total);
          if (all) resolve();
          return all;
        });
    });
  });
}
