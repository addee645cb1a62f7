/** Where the residual stream waits for the backward pass: memory or a file, the same numbers either way. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { ChunkPool } from '../../../src/engine/model/states';
import { openStateStore, type StateStore } from '../../../src/engine/model/state-store';
import { normal } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';

const pool = new ChunkPool(4, 3); // rows of 4 tokens, 3 wide
const ROWS = [5, 5, 2];
const SIZES = ROWS.map((rows) => rows * 12);
const STEPS = 3;
const BYTES = 4 * STEPS * SIZES.reduce((a, b) => a + b, 0);

/** Writes every slot, rewrites some, and reads all back in the order of the backward pass. */
async function fillAndRead(store: StateStore): Promise<number[][]> {
  const next = normal(5);
  const write = async (step: number, chunk: number): Promise<void> => {
    const taken = pool.take(ROWS[chunk]);
    taken.data.set(Float32Array.from({ length: SIZES[chunk] }, next));
    await store.write({ step, chunk }, taken);
  };
  for (let step = 0; step < STEPS; step++) for (const chunk of ROWS.keys()) await write(step, chunk);
  for (const chunk of [2, 0]) await write(1, chunk);
  const buffer = new Float32Array(SIZES[0]);
  const read: number[][] = [];
  for (let step = STEPS - 1; step >= 0; step--) {
    for (const chunk of ROWS.keys()) read.push([...(await store.read({ step, chunk }, buffer))]);
  }
  return read;
}

describe('transformer/state-store', () => {
  const before = process.env.TMPDIR;
  const folder = temporaryFolder();
  beforeEach(() => (process.env.TMPDIR = folder));
  afterEach(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });

  it('keeps in memory what fits the budget, and else says how much goes to a file', async () => {
    const memory = await openStateStore(STEPS, SIZES, BYTES);
    assert.equal(memory.fileBytes, 0);
    assert.deepEqual(readdirSync(folder), []);
    const file = await openStateStore(STEPS, SIZES, BYTES - 1);
    assert.equal(file.fileBytes, BYTES);
    // Nothing to leave behind, even for a process that is killed.
    assert.equal(readdirSync(folder).length, process.platform === 'win32' ? 1 : 0);
    assert.deepEqual(await fillAndRead(file), await fillAndRead(memory));
    await memory.close();
    await file.close();
    assert.deepEqual(readdirSync(folder), []);
  });
});
