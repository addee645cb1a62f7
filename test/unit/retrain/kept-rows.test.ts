/** The file of what a teacher said: what is read is what was added, and damage costs rows, never a wrong number. */
import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import { type KeptFrom, type KeptRow, KeptRowsFile } from '../../../src/engine/retrain/teacher/kept-rows';
import { temporaryFolder } from '../../support/temporary';

const HIDDEN = 4;
const FROM: KeptFrom = { teacher: 'a', kind: 'states', hidden: HIDDEN };
const rowOf = (ids: readonly number[]): KeptRow => ({ ids, targets: [...ids.slice(1), -1] });
const ROWS = [
  [5, 6, 7],
  [5, 6],
];
/** Bytes of the file's header, and of a record's. */
const [HEADER, RECORD] = [48, 20];
/** States of a row, those of its first token far larger than the others. */
const statesOf = (row: readonly number[]): Float32Array =>
  Float32Array.from(row.flatMap((id, t) => [id, -1, 0.5, 1 / id].map((x) => (t === 0 ? 1e6 : 1) * x)));

describe('kept rows of a teacher', () => {
  const newFile = (): string => join(temporaryFolder(), 'teacher.states');
  const filled = async (path: string): Promise<void> => {
    const file = await KeptRowsFile.open(path, FROM);
    for (const row of ROWS) await file.add(rowOf(row), statesOf(row));
    await file.close();
  };
  /** Rows that a file gives again. */
  const found = async (path: string, from = FROM): Promise<(boolean | undefined)[]> => {
    const file = await KeptRowsFile.open(path, from);
    const all = [];
    for (const row of ROWS) all.push((await file.read(rowOf(row))) !== undefined);
    await file.close();
    return all;
  };

  it('are read in the direction in which they were added, of the root mean square 1, to float16', async () => {
    const path = newFile();
    await filled(path);
    const file = await KeptRowsFile.open(path, FROM);
    assert.equal(file.rows, 2);
    for (const row of ROWS) {
      const read = (await file.read(rowOf(row)))!;
      const added = statesOf(row);
      row.forEach((_, t) => {
        const state = added.subarray(t * HIDDEN, (t + 1) * HIDDEN);
        const size = Math.sqrt(state.reduce((sum, x) => sum + x * x, 0) / HIDDEN);
        state.forEach((x, i) => {
          const [kept, exact] = [read[t * HIDDEN + i], x / size];
          assert.ok(Math.abs(kept - exact) <= 2 ** -11 * Math.abs(exact) + 2 ** -25, `${kept} for ${exact}`);
        });
      });
    }
    assert.equal(await file.read(rowOf([5, 6, 7, 8])), undefined);
    assert.equal(await file.read({ ids: [5, 6, 7], targets: [-1, 7, -1] }), undefined, 'asked for other positions');
    await file.close();
    assert.equal((await readFile(path)).length, HEADER + 2 * RECORD + 5 * 2 * HIDDEN);
  });

  it('of zeros are zeros', async () => {
    const file = await KeptRowsFile.open(newFile(), FROM);
    await file.add(rowOf([1]), new Float32Array(HIDDEN));
    assert.deepEqual(await file.read(rowOf([1])), new Float32Array(HIDDEN));
    await file.close();
  });

  it('of distributions are read as they were added', async () => {
    const path = newFile();
    const from = { ...FROM, kind: 'expected' } as const;
    const numbers = Float32Array.from([...statesOf([5, 6]), 1 / 3, 2e-9]);
    for (const isNew of [true, false]) {
      const file = await KeptRowsFile.open(path, from);
      if (isNew) await file.add(rowOf([5, 6]), numbers);
      assert.deepEqual(await file.read(rowOf([5, 6])), numbers);
      await file.close();
    }
    assert.equal((await readFile(path)).length, HEADER + RECORD + 2 * 4 * (HIDDEN + 1));
  });

  it('of another teacher, another kind or another width do not count', async () => {
    for (const other of [{ teacher: 'b' }, { kind: 'expected' }, { hidden: 5 }] as const) {
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
      [40, [false, false]],
      [length, [false, false]],
    ] as const) {
      await filled(path);
      await truncate(path, length - lost);
      assert.deepEqual(await found(path), left, `${lost} bytes lost`);
      const file = await KeptRowsFile.open(path, FROM);
      await file.add(rowOf(ROWS[1]), statesOf(ROWS[1]));
      await file.close();
      assert.deepEqual(await found(path), [left[0], true]);
    }
  });

  it('that are no numbers are none, and a length that cannot be ends the file', async () => {
    const path = newFile();
    await filled(path);
    const bytes = await readFile(path);
    const wrong = Buffer.from(bytes);
    wrong.writeUInt16LE(0x7e00, HEADER + RECORD); // NaN
    await writeFile(path, wrong);
    assert.deepEqual(await found(path), [false, true]);
    for (const tokens of [0, 2 ** 21, 2 ** 32 - 1]) {
      const long = Buffer.from(bytes);
      long.writeUInt32LE(tokens, HEADER + 16);
      await writeFile(path, long);
      assert.deepEqual(await found(path), [false, false], String(tokens));
    }
  });

  it('in a place where no file can be are an error that names it', () =>
    assert.rejects(
      KeptRowsFile.open(join(temporaryFolder(), 'none', 'x'), FROM),
      (error) => error instanceof UserError && /none.x cannot be written/.test(error.what),
    ));
});
