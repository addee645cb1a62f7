/** Checks that written ONNX files equal the plan: the models whole, and samples of every constant beside them. */
import { join } from 'node:path';
import { throwIfCancelled } from '../../errors';
import { RegularFile, withFile } from '../../files/regular-file';
import type { PlacedSource } from './layout';
import type { PlannedOnnx } from './plan';

/** @throws Error on any difference: it is a bug or a broken disk, and the output must not appear; CancelledError */
export async function checkWrittenOnnx(
  folder: string,
  models: readonly PlannedOnnx[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const { file, model, data } of models) {
    await withFile(join(folder, file), async (written) => {
      requireSize(file, written, model.length);
      if (!(await written.readRange(0, model.length)).equals(model)) throw new Error(`${file} is not the model`);
    });
    for (const { name, bytes, sources } of data) {
      await withFile(join(folder, name), async (written) => {
        requireSize(name, written, bytes);
        for (const source of sources) {
          throwIfCancelled(signal);
          await compareSamples(written, source);
        }
      });
    }
  }
}

function requireSize(name: string, file: RegularFile, bytes: number): void {
  if (file.bytes !== bytes) throw new Error(`${name} has ${file.bytes} bytes, ${bytes} were planned`);
}

/** Compares the first and the last row: a misplaced constant shows there. */
async function compareSamples(file: RegularFile, { name, rows, rowBytes, places, read }: PlacedSource): Promise<void> {
  for (const start of new Set([0, rows - 1])) {
    const parts = await read({ start, count: 1 });
    for (const [i, part] of parts.entries()) {
      const found = await file.readRange(places[i].offset + start * rowBytes[i], rowBytes[i]);
      if (!found.equals(part)) throw new Error(`the written bytes of ${name} are not the model's`);
    }
  }
}
