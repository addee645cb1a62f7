/** Checks that a written GGUF file equals the plan: reads it like any other, and compares it with its source. */
import { isDeepStrictEqual } from 'node:util';
import { throwIfCancelled } from '../../errors';
import { RegularFile, withFile } from '../../files/regular-file';
import { openGguf } from '../../formats/gguf/file';
import type { GgufLayout } from '../../formats/gguf/layout';
import { sampled } from '../check';
import { rewritten, rowsOf } from '../rewrite';
import type { GgufSource } from './tensors';

/** Bytes that are compared at the start and the end of every tensor. A misplaced tensor shows there. */
const SAMPLE_BYTES = 64;

/**
 * Compares the file at `path` with its plan: the whole header, the place of every tensor, samples of its bytes.
 * @throws Error on any difference: it is a bug or a broken disk, and the output must not appear
 */
export async function checkWrittenGguf(
  path: string,
  { header, tensors, bytes }: GgufLayout<GgufSource>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const written = await openGguf(path);
  if (written.bytes !== bytes) throw new Error(`${written.bytes} bytes were written, ${bytes} planned`);
  if (written.notes.length > 0) throw new Error(`the written file is odd: ${written.notes.join(', ')}`);
  const planned = tensors.map(({ name, dtype, shape, offset, bytes: size }) => ({
    name,
    dtype,
    shape,
    offset,
    bytes: size,
  }));
  if (!isDeepStrictEqual(written.tensors, planned)) throw new Error('the written tensors are not those planned');
  const file = await RegularFile.open(path, path);
  try {
    if (!header.equals(await file.readRange(0, header.length))) throw new Error('the written header is another');
    for (const tensor of tensors) {
      throwIfCancelled(signal);
      await compareSamples(file, tensor);
    }
  } finally {
    await file.close();
  }
}

type Placed = GgufLayout<GgufSource>['tensors'][number];

async function compareSamples(file: RegularFile, tensor: Placed): Promise<void> {
  const { name, offset, bytes, rewrite, copy } = tensor;
  if (!rewrite) return compareCopied(file, { ...tensor, copy });
  const rows = rowsOf(rewrite);
  const perRow = bytes / rows;
  const count = Math.min(rows, Math.ceil(SAMPLE_BYTES / perRow));
  for (const start of new Set([0, rows - count])) {
    const expected = await rewritten(name, rewrite, { start, count });
    const found = await file.readRange(offset + start * perRow, count * perRow);
    if (!found.equals(expected)) throw different(name);
  }
}

/** Types that Coppice cannot make are compared with the bytes that they are copied from. */
async function compareCopied(
  file: RegularFile,
  { name, offset, bytes, copy }: Extract<Placed, { copy: object }>,
): Promise<void> {
  if (copy.bytes !== bytes) throw different(name);
  await withFile(copy.file, async (source) => {
    for (const { from, at, length } of sampled(copy, SAMPLE_BYTES)) {
      const expected = await source.readRange(from, length);
      if (!expected.equals(await file.readRange(offset + at, length))) throw different(name);
    }
  });
}

const different = (name: string): Error => new Error(`the written bytes of ${name} are not the model's`);
