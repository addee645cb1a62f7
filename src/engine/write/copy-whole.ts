/** Copies a model's file that is as it should be already. */
import { stat } from 'node:fs/promises';
import { copyRanges } from '../files/copy';
import { OutputFile } from '../files/output-file';
import type { JobOptions } from '../progress';

/** Copies a file as it is. @param onBytes called with the bytes of every written piece @throws UserError with the path, when it cannot be read or written; CancelledError */
export async function copyWhole(
  from: string,
  to: string,
  { signal }: JobOptions,
  onBytes?: (bytes: number) => void,
): Promise<void> {
  const { size } = await stat(from);
  await OutputFile.fill(to, (file) =>
    copyRanges(file, 0, [{ file: from, offset: 0, bytes: size }], { signal, onBytes }),
  );
}
