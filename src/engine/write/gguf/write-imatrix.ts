/** Writes an importance matrix as llama.cpp's programs read it. */
import { COUNTS, IMATRIX_KEYS, type ImportanceMatrix, SUMS } from '../../formats/gguf/imatrix';
import { layOutGguf, type UnplacedTensor } from '../../formats/gguf/layout';
import { text, texts, u32 } from '../../formats/gguf/values';
import { narrow } from '../../formats/narrow';
import { OutputFile } from '../../files/output-file';
import { claimFile } from '../../files/target';
import { writeFailure } from '../../files/write-failure';

interface Numbers extends UnplacedTensor {
  readonly values: Float32Array;
}

/**
 * Writes `matrix` to `file`, which must not exist.
 * @param sources folders that must not be written to
 * @returns the path, absolute
 * @throws UserError when it cannot be written. No partial output remains
 */
export async function writeImportanceMatrix(
  { entries, texts: names, rows, rowLength }: ImportanceMatrix,
  file: string,
  sources: readonly string[],
): Promise<string> {
  const tensors = [...entries].flatMap(([name, { sums, count, counts = Float32Array.of(count) }]): Numbers[] => [
    { name: name + SUMS, dtype: 'F32', shape: [counts.length, sums.length / counts.length], values: sums },
    { name: name + COUNTS, dtype: 'F32', shape: [counts.length, 1], values: counts },
  ]);
  const layout = layOutGguf(
    [
      ['general.type', text('imatrix')],
      [IMATRIX_KEYS.texts, texts(names)],
      [IMATRIX_KEYS.rows, u32(rows)],
      [IMATRIX_KEYS.rowLength, u32(rowLength)],
    ],
    tensors,
  );
  const target = await claimFile(file, sources, layout.bytes, 'saveImatrix');
  try {
    await OutputFile.fill(target.temporary, async ({ handle }) => {
      await handle.truncate(layout.bytes);
      await handle.write(layout.header, 0, layout.header.length, 0);
      for (const { offset, bytes, values } of layout.tensors) {
        await handle.write(narrow(values, 'F32', new Uint8Array(bytes)), 0, bytes, offset);
      }
    });
    await target.commit();
    return target.out;
  } catch (error) {
    await target.discard().catch(() => undefined); // it keeps its temporary name; the first error is the one to report
    throw writeFailure(error, target.out, 'saveImatrix');
  }
}
