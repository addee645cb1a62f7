/** Writes the constants of a weight, some rows at a time. */
import { setImmediate } from 'node:timers/promises';
import type { OutputFile } from '../../files/output-file';
import type { Work } from '../../progress';
import type { PlacedSource } from './layout';

/** Bytes of a piece: some milliseconds of work. */
const PIECE_BYTES = 2 ** 21;

/** @throws UserError as reading the source; CancelledError; system errors of the output, unchanged */
export async function writeSource(output: OutputFile, source: PlacedSource, work: Work): Promise<void> {
  const { rows, rowBytes, places, read } = source;
  const perRow = rowBytes.reduce((sum, bytes) => sum + bytes, 0);
  const atATime = Math.max(1, Math.floor(PIECE_BYTES / perRow));
  for (let start = 0; start < rows; start += atATime) {
    work.check();
    const count = Math.min(atATime, rows - start);
    const parts = await read({ start, count });
    for (const [i, part] of parts.entries()) {
      if (part.length !== count * rowBytes[i]) throw new Error(`${source.name} gave ${part.length} bytes`);
      await writeAt(output, places[i].offset + start * rowBytes[i], part);
    }
    await output.wrote(count * perRow);
    await setImmediate();
    work.advance(count * perRow);
  }
}

async function writeAt(output: OutputFile, position: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await output.handle.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
