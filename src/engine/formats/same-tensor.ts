/** Whether two stored tensors are equal byte for byte. */
import { withFile } from '../files/regular-file';
import { storedTensor } from './stored-tensor';
import type { TensorInfo } from './tensor';

/** Bytes compared at a time. Different tensors nearly always differ in the first piece. */
const PIECE = 1 << 20;

/** Also false for tensors of another type or shape. @throws UserError when a file cannot be read */
export async function sameTensor(one: TensorInfo, other: TensorInfo): Promise<boolean> {
  const [a, b] = [storedTensor(one), storedTensor(other)];
  if (a.file === b.file && a.offset === b.offset) return true;
  if (a.dtype !== b.dtype || a.bytes !== b.bytes || a.shape.join() !== b.shape.join()) return false;
  return withFile(a.file, (first) =>
    withFile(b.file, async (second) => {
      for (let at = 0; at < a.bytes; at += PIECE) {
        const length = Math.min(PIECE, a.bytes - at);
        const ours = await first.readRange(a.offset + at, length);
        if (!ours.equals(await second.readRange(b.offset + at, length))) return false;
      }
      return true;
    }),
  );
}
