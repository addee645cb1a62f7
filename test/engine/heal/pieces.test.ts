/** Sums over pieces of several runs: against float64, the same bits in files as in one process, and Σ R² of each run. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { GramSums } from '../../../src/engine/heal/gram';
import { PieceSums } from '../../../src/engine/heal/pieces';
import { type Collector, OwnCollector, type SiteSums, TotalSums } from '../../../src/engine/heal/site-sums';
import type { RowRun } from '../../../src/engine/heal/streams';
import { addSums, FileCollector } from '../../../src/engine/heal/sums-file';
import { float32 } from '../../../src/engine/onnx/session';
import { assertGradientClose } from '../../support/close';
import { describedModel } from '../../support/model';
import { normal } from '../../support/random';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const [INPUTS, OUTPUTS, LENGTH] = [150, 20, 8];
const shape = { inputs: INPUTS, outputs: OUTPUTS };
/** Three groups: two pieces, one piece of three runs, one run that is not summed. */
const runs: RowRun[] = [
  [2, 0, 0],
  [2, 0, 0],
  [1, 0, 1],
  [2, 1, 2],
  [2, 1, 2],
  [2, 1, 2],
].map(([rows, group, piece], p) => ({ rows, group, piece, first: 2 * p, use: 'fit', measure: undefined }));

describe('sums over pieces of runs', () => {
  const model = describedModel(() => tinyCheckpoint('llama-plain'));
  const next = normal(5);
  const random = (tokens: number, width: number): Float32Array => Float32Array.from({ length: tokens * width }, next);
  const given = runs.map(({ rows }) => {
    const tokens = rows * LENGTH;
    return { tokens, x: random(tokens, INPUTS), wanted: random(tokens, OUTPUTS), found: random(tokens, OUTPUTS) };
  });

  /** Hands all runs over, in memory that is used again for each. @returns Σ R² of each run */
  async function collect(collector: Collector | undefined): Promise<number[]> {
    const sums = await GramSums.open(model(), INPUTS, OUTPUTS, undefined, collector ? 'both' : 'none');
    const squares: number[] = [];
    const pieces = new PieceSums(sums, runs, LENGTH, collector, (own) => squares.push(own));
    const memory = [INPUTS, OUTPUTS, OUTPUTS].map((width) => new Float32Array(2 * LENGTH * width));
    for (const [p, { tokens, x, wanted, found }] of given.entries()) {
      const [ownX, ownWanted, ownFound] = [x, wanted, found].map((data, i) => {
        memory[i].set(data);
        return memory[i].subarray(0, data.length);
      });
      const tensors = [ownWanted, ownFound].map((data) => float32(data, [tokens, OUTPUTS]));
      await pieces.add(p, { x: ownX, wanted: tensors[0], found: tensors[1] });
    }
    await sums.close();
    return squares;
  }

  const numbersOf = ({ fitted: { gram, cross } }: SiteSums): Float64Array[] => [...gram.panels, cross.data];

  it('are XᵀX and XᵀR of all runs, and Σ R² of each', async () => {
    const collector = new OwnCollector(runs, shape);
    const squares = await collect(collector);
    const { gram, cross } = collector.sums().fitted;
    const all = (name: 'x' | 'wanted' | 'found'): number[] => given.flatMap((each) => [...each[name]]);
    const [x, r] = [all('x'), all('wanted').map((value, i) => value - all('found')[i])];
    const tokens = x.length / INPUTS;
    const product = (i: number, of: readonly number[], width: number, j: number): number => {
      let sum = 0;
      for (let t = 0; t < tokens; t++) sum += x[t * INPUTS + i] * of[t * width + j];
      return sum;
    };
    const found: number[] = [];
    const wanted: number[] = [];
    for (const [p, start] of gram.starts.entries()) {
      for (let i = start; i < INPUTS; i++) {
        for (let j = start; j < start + gram.width(start) && j <= i; j++) {
          found.push(gram.panels[p][(i - start) * gram.width(start) + j - start]);
          wanted.push(product(i, x, INPUTS, j));
        }
      }
    }
    assertGradientClose(Float64Array.from(found), Float64Array.from(wanted), 1e-6, 'XᵀX');
    const expected = Float64Array.from({ length: INPUTS * OUTPUTS }, (_, at) =>
      product(Math.floor(at / OUTPUTS), r, OUTPUTS, at % OUTPUTS),
    );
    assertGradientClose(cross.data, expected, 1e-6, 'XᵀR');
    const own = given.map(({ wanted: to, found: from }) => to.reduce((sum, v, i) => sum + (v - from[i]) ** 2, 0));
    assertGradientClose(Float64Array.from(squares), Float64Array.from(own), 1e-6, 'Σ R²');
    assert.deepEqual(await collect(undefined), squares, 'without sums');
  });

  it('have the same bits where groups go through files', async () => {
    const own = new OwnCollector(runs, shape);
    await collect(own);
    const folder = temporaryFolder();
    const pathOf = (group: number): string => join(folder, `${group}.safetensors`);
    await collect(new FileCollector(runs, shape, pathOf, { step: 'one' }));
    const total = new TotalSums(shape, false);
    for (const group of [0, 1]) await addSums(total, pathOf(group), shape, { step: 'one' });
    assert.deepEqual(numbersOf(total.all()), numbersOf(own.sums()));
  });
});
