/** Checks that a written checkpoint equals the plan: opens it like any other, and compares it with its source. */
import { isDeepStrictEqual } from 'node:util';
import type { Architecture } from '../checkpoint/architecture';
import type { Checkpoint } from '../checkpoint/types';
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import { bytesOfRows, rangesOf, type StoredTensor, storedTensor } from '../formats/stored-tensor';
import { throwIfCancelled } from '../errors';
import { OpenFiles } from '../files/open-files';
import type { Plan } from './plan';
import { type Rewrite, rewritten, rowsOf } from './rewrite';

/** Bytes that are compared at the start and the end of every tensor. A misplaced tensor shows there. */
const SAMPLE_BYTES = 64;

/**
 * Opens the checkpoint in `folder` and compares it with the plan: architecture, every tensor, samples of its bytes.
 * @throws Error on any difference: it is a bug or a broken disk, and the output must not appear
 */
export async function checkWritten(
  folder: string,
  plan: Plan,
  expected: Architecture,
  signal: AbortSignal | undefined,
): Promise<void> {
  const written = await openCheckpoint(folder);
  // The ids that end a text may come from files that were not copied. The blocks do not depend on them.
  const architecture = { ...requireArchitecture(written), eosTokenIds: expected.eosTokenIds };
  if (!isDeepStrictEqual(architecture, expected)) {
    throw new Error('the written config describes another architecture than planned');
  }
  const planned = plan.shards.flatMap((shard) => shard.tensors);
  if (written.tensors.size !== planned.length) {
    throw new Error(`${written.tensors.size} tensors were written, ${planned.length} planned`);
  }
  const files = new OpenFiles();
  try {
    for (const { name, source, dtype, shape, rewrite } of planned) {
      throwIfCancelled(signal);
      const copy = written.tensors.get(nameInModel(name, written));
      if (copy?.dtype !== dtype || !isDeepStrictEqual(copy.shape, shape)) {
        throw new Error(`the written tensor ${name} is missing or of another type or shape`);
      }
      const stored = storedTensor(copy);
      await (rewrite ? compareRewritten(files, rewrite, stored) : compareSamples(files, source, stored));
    }
  } finally {
    await files.close();
  }
}

/** The name of a tensor in the model, where the file has it in its place in a whole one. */
const nameInModel = (name: string, { prefix }: Checkpoint): string =>
  prefix !== undefined && name.startsWith(prefix) ? `model.${name.slice(prefix.length)}` : name;

async function compareSamples(files: OpenFiles, source: StoredTensor, copy: StoredTensor): Promise<void> {
  for (const { from, at, length } of sampled(source, SAMPLE_BYTES)) {
    const original = await (await files.get(source.file)).readRange(from, length);
    const written = await (await files.get(copy.file)).readRange(copy.offset + at, length);
    if (!original.equals(written)) throw new Error(`the written bytes of ${copy.name} differ from the source's`);
  }
}

/** The first and the last bytes of a copied tensor: where they are in the source's file, and in the tensor. */
export function sampled(source: StoredTensor, most: number): { from: number; at: number; length: number }[] {
  const ranges = rangesOf(source);
  if (ranges.length === 0) return [];
  const [first, last] = [ranges[0], ranges[ranges.length - 1]];
  const [a, b] = [Math.min(most, first.bytes), Math.min(most, last.bytes)];
  return [
    { from: first.offset, at: 0, length: a },
    { from: last.offset + last.bytes - b, at: source.bytes - b, length: b },
  ];
}

async function compareRewritten(files: OpenFiles, rewrite: Rewrite, copy: StoredTensor): Promise<void> {
  const rows = rowsOf(rewrite);
  const count = Math.min(rows, Math.ceil((SAMPLE_BYTES * rows) / copy.bytes));
  for (const start of new Set([0, rows - count])) {
    const expected = await rewritten(copy.name, rewrite, { start, count });
    const { offset, bytes } = bytesOfRows(copy, { start, count });
    const written = await (await files.get(copy.file)).readRange(offset, bytes);
    if (!written.equals(expected)) throw new Error(`the written bytes of ${copy.name} are not those computed`);
  }
}
