/** Threads that quantize: the same bytes as one, and no thread or promise left whatever happens. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { OutputFile } from '../../../src/engine/files/output-file';
import type { Rewrite, RewrittenDtype } from '../../../src/engine/write/rewrite';
import { rewritten } from '../../../src/engine/write/rewrite';
import { PieceWriter } from '../../../src/engine/write/gguf/threads/piece-writer';
import { Quantizers, setQuantizerProgram } from '../../../src/engine/write/gguf/threads/quantizers';
import { built } from '../../support/built';
import { columnImportance } from '../../support/k-quants';
import { uniform } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';

const ROWS = 768;
const COLUMNS = 768;

function matrix(dtype: RewrittenDtype, seed: number, isWeighed = false): Rewrite<RewrittenDtype> {
  const next = uniform(seed);
  const values = Float64Array.from({ length: ROWS * COLUMNS }, () => next() - 0.5);
  return {
    dtype,
    shape: [ROWS, COLUMNS],
    read: ({ start, count }) => Promise.resolve(values.slice(start * COLUMNS, (start + count) * COLUMNS)),
    ...(isWeighed && { importance: columnImportance(COLUMNS, seed) }),
  };
}

/** Writes matrices one after another, each behind a gap, and gives the file. */
async function write(rewrites: readonly Rewrite<RewrittenDtype>[], signal?: AbortSignal): Promise<Buffer> {
  const file = join(temporaryFolder(), 'pieces');
  let written = 0;
  await OutputFile.fill(file, async (output) => {
    const pieces = PieceWriter.open(output, rewrites, { signal, onBytes: (bytes) => (written += bytes) }, 3)!;
    try {
      let at = 0;
      for (const [i, rewrite] of rewrites.entries()) {
        assert.ok(pieces.takes(rewrite));
        await pieces.write(at, `matrix ${i}`, rewrite);
        at += (await rewritten('', rewrite, { start: 0, count: ROWS })).length;
      }
      await pieces.done();
    } finally {
      await pieces.close();
    }
  });
  const bytes = readFileSync(file);
  assert.equal(written, bytes.length);
  return bytes;
}

describe('threads that quantize', function () {
  this.timeout(60_000);
  before(() => setQuantizerProgram(join(built('quantizer'), 'quantizer.cjs')));
  const matrices = [matrix('Q4_K', 1), matrix('Q5_K', 2), matrix('Q4_0', 3, true), matrix('Q6_K', 4, true)];

  it('have the bytes of one', async () => {
    const alone: Uint8Array[] = [];
    for (const each of matrices) alone.push(await rewritten('', each, { start: 0, count: ROWS }));
    assert.ok((await write(matrices)).equals(Buffer.concat(alone)));
  });

  it('are not started for few numbers, types without a search, or one thread', async () => {
    await OutputFile.fill(join(temporaryFolder(), 'none'), (output) => {
      const small: Rewrite<RewrittenDtype> = { ...matrix('Q4_K', 1), shape: [2, 256] };
      assert.equal(PieceWriter.open(output, [small], {}, 4), undefined);
      assert.equal(PieceWriter.open(output, [matrix('Q8_0', 1), matrix('Q4_0', 1)], {}, 4), undefined);
      assert.equal(PieceWriter.open(output, matrices, {}, 1), undefined);
      return Promise.resolve();
    });
  });

  it('end with a number that the type cannot hold, a file that cannot be read, and a cancelled job', async () => {
    const large: Rewrite<RewrittenDtype> = {
      ...matrices[0],
      read: async (rows) => {
        const values = await matrices[0].read(rows);
        if (rows.start > 0) values[7] = 1e30;
        return values;
      },
    };
    const [, first, ...others] = matrices;
    await assert.rejects(
      write([first, large, ...others]),
      (error) => error instanceof UserError && error.why.includes('1.00000e+30'),
    );
    const lost: Rewrite<RewrittenDtype> = {
      ...matrices[0],
      read: () => Promise.reject(new UserError('lost', 'why', 'do')),
    };
    await assert.rejects(write([first, lost, ...others]), /lost/);
    const controller = new AbortController();
    const stopping: Rewrite<RewrittenDtype> = {
      ...matrices[0],
      read: (rows) => {
        if (rows.start > 0) controller.abort();
        return matrices[0].read(rows);
      },
    };
    await assert.rejects(write([first, stopping, ...others], controller.signal), CancelledError);
  });

  it('report a thread that fails, to everyone who waits and who asks later', async () => {
    const quantizers = new Quantizers(2);
    // 100 numbers are no whole blocks, which only a bug could send.
    const wrong = quantizers.quantize({ values: new Float32Array(100), dtype: 'Q4_K' });
    await assert.rejects(wrong, /100 numbers/);
    await assert.rejects(quantizers.quantize({ values: new Float32Array(256), dtype: 'Q4_K' }), /100 numbers/);
    await quantizers.close();
  });
});
