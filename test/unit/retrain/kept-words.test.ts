/** The file of what a teacher said: what is read is what was added, and damage costs rows, never a wrong number. */
import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import { keptBytes, type KeptFrom, KeptWordsFile } from '../../../src/engine/retrain/teacher/kept-words';
import { temporaryFolder } from '../../support/temporary';

const FROM: KeptFrom = { teacher: 'a', words: 2, vocabulary: 70_000 };
const ROWS = [
  [5, 6, 7],
  [5, 6],
];
/** Words of a row: two for each token, one of them above 16 bits. */
const likely = (row: readonly number[]) => ({
  words: Int32Array.from(row.flatMap((id) => [id, 69_000 + id])),
  shares: Float32Array.from(row.flatMap((id) => [1 / id, id / 1000])),
});

describe('kept words of a teacher', () => {
  const newFile = (): string => join(temporaryFolder(), 'teacher.words');
  const filled = async (path: string): Promise<void> => {
    const file = await KeptWordsFile.open(path, FROM);
    for (const row of ROWS) await file.add(row, likely(row));
    await file.close();
  };
  /** Rows that a file gives again. */
  const found = async (path: string, from = FROM): Promise<(boolean | undefined)[]> => {
    const file = await KeptWordsFile.open(path, from);
    const all = [];
    for (const row of ROWS) all.push((await file.read(row)) !== undefined);
    await file.close();
    return all;
  };

  it('are read as they were added', async () => {
    const path = newFile();
    await filled(path);
    const file = await KeptWordsFile.open(path, FROM);
    assert.equal(file.rows, 2);
    for (const row of ROWS) {
      assert.deepEqual(await file.read(row), likely(row));
    }
    assert.equal(await file.read([5, 6, 7, 8]), undefined);
    await file.close();
    const { length } = await readFile(path);
    assert.equal(length, 48 + 2 * 20 + 5 * keptBytes(2));
  });

  it('of another teacher, another number of words or another vocabulary do not count', async () => {
    for (const other of [{ teacher: 'b' }, { words: 3 }, { vocabulary: 69_999 }]) {
      const path = newFile();
      await filled(path);
      assert.deepEqual(await found(path, { ...FROM, ...other }), [false, false]);
    }
  });

  it('that a killed process left are those that are whole, and more can be added', async () => {
    const path = newFile();
    await filled(path);
    const { length } = await readFile(path);
    for (const [lost, left] of [
      [1, [true, false]],
      [30, [true, false]],
      [60, [false, false]],
      [length, [false, false]],
    ] as const) {
      await filled(path);
      await truncate(path, length - lost);
      assert.deepEqual(await found(path), left, `${lost} bytes lost`);
      const file = await KeptWordsFile.open(path, FROM);
      await file.add(ROWS[1], likely(ROWS[1]));
      await file.close();
      assert.deepEqual(await found(path), [left[0], true]);
    }
  });

  it('that are no words of the vocabulary are none, and a length that cannot be ends the file', async () => {
    const path = newFile();
    await filled(path);
    const bytes = await readFile(path);
    const wrong = Buffer.from(bytes);
    wrong.writeUInt32LE(70_000, 48 + 20);
    await writeFile(path, wrong);
    assert.deepEqual(await found(path), [false, true]);
    wrong.writeUInt32LE(5, 48 + 20);
    wrong.writeFloatLE(NaN, 48 + 20 + 4 * 6);
    await writeFile(path, wrong);
    assert.deepEqual(await found(path), [false, true]);
    for (const tokens of [0, 2 ** 21, 2 ** 32 - 1]) {
      const long = Buffer.from(bytes);
      long.writeUInt32LE(tokens, 48 + 16);
      await writeFile(path, long);
      assert.deepEqual(await found(path), [false, false], String(tokens));
    }
  });

  it('in a place where no file can be are an error that names it', () =>
    assert.rejects(
      KeptWordsFile.open(join(temporaryFolder(), 'none', 'x'), FROM),
      (error) => error instanceof UserError && /none.x cannot be written/.test(error.what),
    ));
});
