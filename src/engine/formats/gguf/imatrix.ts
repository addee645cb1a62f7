/**
 * llama.cpp's importance matrix: for each matrix of a model, the sums of the squares of what its columns are multiplied with when the
 * model reads a text, and of how many tokens. It is a GGUF file with two tensors for each matrix; older versions wrote a format of their
 * own, which is read too.
 * Source: `tools/imatrix` of llama.cpp.
 */
import { basename } from 'node:path';
import { UserError } from '../../errors';
import { type RegularFile, withFile } from '../../files/regular-file';
import { MAX_IMATRIX_BYTES, MAX_IMATRIX_COLUMNS, MAX_NAME_LENGTH, MAX_TENSORS } from '../limits';
import { isGguf, openGguf } from './file';
import type { GgufTensor } from './tensors';

/** What is known of one matrix. */
export interface ColumnSums {
  /** Σ x² over the tokens, by column; of a tensor with a matrix of each expert those of one matrix after the other. */
  readonly sums: Float32Array;
  /** Tokens; of old files the number of passes, whose sums are means over the tokens of a pass. At least 1. */
  readonly count: number;
  /** Tokens of each matrix, where they are counted apart: those that were routed to an expert. */
  readonly counts?: Float32Array;
}

export interface ImportanceMatrix {
  /** By the name of the matrix in a GGUF file. */
  readonly entries: ReadonlyMap<string, ColumnSums>;
  /** The names of the texts. */
  readonly texts: readonly string[];
  /** Rows of tokens that were read, and tokens of a row; 0 where a file does not say. */
  readonly rows: number;
  readonly rowLength: number;
}

/** Tensors of an entry. */
export const SUMS = '.in_sum2';
export const COUNTS = '.counts';

/** Keys of the metadata. */
export const IMATRIX_KEYS = {
  texts: 'imatrix.datasets',
  rows: 'imatrix.chunk_count',
  rowLength: 'imatrix.chunk_size',
} as const;

/** Keys of the metadata of a model that was quantized with one. */
export const USED_IMATRIX = {
  file: 'quantize.imatrix.file',
  text: 'quantize.imatrix.dataset',
  entries: 'quantize.imatrix.entries_count',
  rows: 'quantize.imatrix.chunks_count',
} as const;

/**
 * The importance of the columns of a matrix, or of each one of a stack: mean squares, in float32 as llama.cpp computes them. Columns of
 * a matrix that no token went through count alike.
 */
export function importanceOf({ sums, count, counts }: ColumnSums): Float32Array {
  if (!counts) return sums.map((sum) => sum / count);
  const columns = sums.length / counts.length;
  return sums.map((sum, i) => {
    const own = counts[Math.floor(i / columns)];
    return own > 0 ? sum / own : 1;
  });
}

/**
 * Reads the file at `path`, of either format.
 * @throws UserError when it cannot be read, is damaged, or holds numbers that are negative or not finite
 */
export async function readImportanceMatrix(path: string): Promise<ImportanceMatrix> {
  const matrix = (await isGguf(path)) ? await readGguf(path) : await withFile(path, (file) => readOld(file, path));
  if (matrix.entries.size === 0) throw unusable(path, 'it has no sums of any matrix');
  for (const [name, { sums, count }] of matrix.entries) {
    if (!sums.every((sum) => sum >= 0 && Number.isFinite(sum))) {
      throw unusable(path, `the sums of ${name} hold numbers that are negative or not finite`);
    }
    if (!(count >= 1 && Number.isFinite(count))) throw unusable(path, `${name} has a count of ${count}`);
  }
  return matrix;
}

function unusable(path: string, why: string): UserError {
  return new UserError(
    `${basename(path)} is not an importance matrix that Coppice can use`,
    why,
    'Give a file of llama-imatrix or of Coppice, or "auto".',
  );
}

async function readGguf(path: string): Promise<ImportanceMatrix> {
  const { tensors, metadata } = await openGguf(path);
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const total = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > MAX_IMATRIX_BYTES)
    throw unusable(path, `its tensors have ${total} bytes, more than ${MAX_IMATRIX_BYTES}`);
  const entries = await withFile(path, async (file) => {
    const read = async (tensor: GgufTensor): Promise<Float32Array> => {
      if (tensor.dtype !== 'F32') throw unusable(path, `${tensor.name} is ${tensor.dtype} in place of F32`);
      return floatsOf(await file.readRange(tensor.offset, tensor.bytes));
    };
    const found = new Map<string, ColumnSums>();
    for (const tensor of tensors) {
      if (!tensor.name.endsWith(SUMS)) continue;
      const name = tensor.name.slice(0, -SUMS.length);
      const counts = byName.get(name + COUNTS);
      if (!counts) throw unusable(path, `${name} has sums and no counts`);
      const numbers = await read(counts);
      const sums = await read(tensor);
      if (numbers.length === 0 || sums.length % numbers.length !== 0)
        throw unusable(path, `${name} has ${sums.length} sums and ${numbers.length} counts`);
      const odd = numbers.find((number) => !(number >= 0 && Number.isFinite(number)));
      if (odd !== undefined) throw unusable(path, `${name} has a count of ${odd}`);
      const [first] = numbers;
      if (numbers.length > 1) found.set(name, { sums, count: Math.max(1, ...numbers), counts: numbers });
      // Columns of a matrix that no token went through count alike.
      else found.set(name, first > 0 ? { sums, count: first } : { sums: sums.fill(1), count: 1 });
    }
    return found;
  });
  const texts = metadata.get(IMATRIX_KEYS.texts)?.value;
  const number = (key: string): number => {
    const value = metadata.get(key)?.value;
    return typeof value === 'number' ? value : 0;
  };
  return {
    entries,
    texts: typeof texts === 'object' ? texts.first.filter((text) => typeof text === 'string') : [],
    rows: number(IMATRIX_KEYS.rows),
    rowLength: number(IMATRIX_KEYS.rowLength),
  };
}

const I32 = 4;

/** Number of entries; of each the length of its name, the name, passes, number of columns, sums; then passes, and the text's name. */
async function readOld(file: RegularFile, path: string): Promise<ImportanceMatrix> {
  if (file.bytes > MAX_IMATRIX_BYTES)
    throw unusable(path, `it has ${file.bytes} bytes, more than ${MAX_IMATRIX_BYTES}`);
  let at = 0;
  const bytes = async (length: number, what: string): Promise<Buffer> => {
    if (length > file.bytes - at) throw unusable(path, `it ends within ${what}`);
    const read = await file.readRange(at, length);
    at += length;
    return read;
  };
  const whole = async (what: string, [least, most]: readonly [number, number]): Promise<number> => {
    const value = (await bytes(I32, what)).readInt32LE();
    if (value < least || value > most) throw unusable(path, `${what} is ${value}, not ${least} to ${most}`);
    return value;
  };
  const entries = new Map<string, ColumnSums>();
  const count = await whole('the number of matrices', [1, MAX_TENSORS]);
  for (let i = 0; i < count; i++) {
    const length = await whole(`the length of name ${i + 1}`, [1, MAX_NAME_LENGTH]);
    const name = (await bytes(length, `name ${i + 1}`)).toString('utf8');
    const passes = await whole(`the passes of ${name}`, [0, 2 ** 31 - 1]);
    const columns = await whole(`the number of columns of ${name}`, [1, MAX_IMATRIX_COLUMNS]);
    const sums = floatsOf(await bytes(columns * Float32Array.BYTES_PER_ELEMENT, `the sums of ${name}`));
    entries.set(name, { sums, count: Math.max(1, passes) });
  }
  // Later versions of the format have more at its end.
  if (file.bytes - at < 2 * I32) return { entries, texts: [], rows: 0, rowLength: 0 };
  const rows = await whole('the number of passes', [0, 2 ** 31 - 1]);
  const length = await whole("the length of the text's name", [0, MAX_NAME_LENGTH]);
  const text = (await bytes(length, "the text's name")).toString('utf8');
  return { entries, texts: text === '' ? [] : [text], rows, rowLength: 0 };
}

/** Little-endian float32 numbers. */
function floatsOf(bytes: Buffer): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
}
