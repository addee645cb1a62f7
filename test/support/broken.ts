/** Checkpoints with numbers that are none: some elements of a tensor overwritten where they lie. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { storedTensor } from '../../src/engine/formats/stored-tensor';
import { ownTinyCheckpoint, type TinyOptions } from './tiny-models';

/** A toy in F32 whose tensor `name` holds `value` in each of the elements `at`. @returns its folder */
export async function brokenCheckpoint(
  name: string,
  at: readonly number[],
  value: number,
  options: TinyOptions = {},
): Promise<string> {
  const folder = ownTinyCheckpoint('llama-plain', { tokenizer: true, ...options });
  const { file, offset } = storedTensor((await openCheckpoint(folder)).tensors.get(name)!);
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  const handle = openSync(file, 'r+');
  for (const element of at) writeSync(handle, bytes, 0, 4, offset + 4 * element);
  closeSync(handle);
  return folder;
}
