/** Scores of experts, and what is left without the lowest: golden numbers of all toys, and the definition in plain loops. */
import assert from 'node:assert/strict';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { expertLinear, type ExpertsFeedForward } from '../../../src/engine/checkpoint/kinds/experts';
import type { LayerWeightKey } from '../../../src/engine/checkpoint/weight-key';
import { EXPERT_CRITERIA, type ExpertCriterion } from '../../../src/engine/importance/experts/criteria';
import { scoreExperts } from '../../../src/engine/importance/experts/score';
import { expertScores, keptCount, keptExperts, keptOf } from '../../../src/engine/importance/experts/select';
import { type ExpertSums, meansOf } from '../../../src/engine/importance/experts/sums';
import { summariseLosses } from '../../../src/engine/importance/losses';
import { lossesOfViews } from '../../../src/engine/evaluate/views';
import { Forward } from '../../../src/engine/model/forward';
import { type Model, openModel } from '../../../src/engine/model/model';
import { fullView } from '../../../src/engine/model/view';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import { FewerExperts } from '../../../src/engine/weights/fewer-experts';
import { assertAllClose, assertClose, TOLERANCE } from '../../support/close';
import {
  calibrationRows,
  checkpointFolder,
  EXPERT_CHECKPOINTS,
  type GoldenExperts,
  type GoldenName,
  goldenExperts,
} from '../../support/golden';
import { describedModel } from '../../support/model';
import { describeShared, full } from '../../support/shared';

/** Experts in single tensors, and in stacks. */
const SMALL_GROUPS: readonly GoldenName[] = ['families3/mixtral-top2', 'families3/gptoss-sinks'];
const RELATIVE = { relative: 1e-4 } as const;
const all = ({ architecture }: Model) => fullView(architecture.layers.length);

describeShared('scores of experts', () => {
  for (const name of EXPERT_CHECKPOINTS) {
    describe(name, () => {
      const model = describedModel(() => checkpointFolder(name));
      let golden: GoldenExperts;
      let rows: number[][];
      let sums: readonly ExpertSums[];
      before(() => {
        golden = goldenExperts(name);
        rows = calibrationRows(name);
      });
      const scores = (criterion: ExpertCriterion) =>
        new Map(sums.map((each) => [each.block, expertScores(each, criterion)]));

      it('are the golden ones, and the same in small groups of experts that are opened again', async () => {
        const pass = await scoreExperts(model(), rows, all(model()));
        ({ sums } = pass);
        assert.deepEqual(
          sums.map(({ block, tokens }) => ({ block, tokens: [...tokens] })),
          golden.blocks.map(({ block, tokens }) => ({ block, tokens })),
        );
        for (const [i, { block, gateMean, scores: expected }] of golden.blocks.entries()) {
          const { gates, tokens } = sums[i];
          assertAllClose(meansOf(gates, tokens), gateMean, RELATIVE, `block ${block}: weights`);
          assertAllClose(expertScores(sums[i], 'reap'), expected, RELATIVE, `block ${block}: scores`);
        }
        const { meanNll } = summariseLosses(pass.losses, rows[0].length - 1);
        assertClose(meanNll, golden.full.meanNll, TOLERANCE.meanNll, 'loss');
        if (!full && !SMALL_GROUPS.includes(name)) return;
        const small = await openModel(model().checkpoint, { device: 'cpu', threads: 1, memory: 150_000 });
        try {
          assert.deepEqual(await scoreExperts(small, rows, all(small)), pass);
        } finally {
          await small.close();
        }
      });

      it('keep the golden experts, whose model has the golden loss without being written', async () => {
        assert.ok(golden.pruned.length > 0);
        for (const { method, ratio, kept: expected, parameters, meanNll } of golden.pruned) {
          const kept = keptExperts(scores(method), keptCount(golden.experts, ratio));
          const what = `${method} at ${ratio}`;
          assert.deepEqual(
            [...kept].map(([block, experts]) => ({ block, experts })),
            expected,
            what,
          );
          if (!full && (method !== 'reap' || ratio !== 0.25)) continue;
          const fewer = await model().withWeights(new FewerExperts(checkpointWeights(model().checkpoint), kept));
          try {
            assert.equal(parametersOf(fewer.architecture), parameters, what);
            const [losses] = await lossesOfViews(fewer, rows, [all(fewer)]);
            const found = summariseLosses(losses, rows[0].length - 1);
            assertClose(found.meanNll, meanNll, TOLERANCE.meanNll, what);
          } finally {
            await fewer.close();
          }
        }
      });
    });
  }

  it('of equal ones the lower number goes first, and an expert without tokens has 0', () => {
    assert.deepEqual(keptOf([1, 0, 0, 1, 2], 3), [0, 3, 4]);
    assert.deepEqual(keptOf([1, 1, 1, 1], 2), [2, 3]);
    const sums = {
      block: 0,
      tokens: Float64Array.of(2, 0),
      gates: Float64Array.of(1, 0),
      norms: Float64Array.of(3, 0),
    };
    assert.deepEqual(expertScores(sums, 'reap'), [1.5, 0]);
    const random = (seed?: number) => expertScores({ ...sums, tokens: new Float64Array(64) }, 'random', seed);
    assert.notDeepEqual(random(1), random());
    assert.deepEqual(EXPERT_CRITERIA.length, 3);
  });

  describe('a block by itself', () => {
    const name = 'families3/olmoe-clip';
    const model = describedModel(() => checkpointFolder(name));

    it('has the scores of the definition in plain loops, in float64', async () => {
      const rows = calibrationRows(name).slice(0, 2);
      const { sums } = await scoreExperts(model(), rows, all(model()));
      const expected = await inLoops(model(), rows);
      assertAllClose(expertScores(sums[0], 'reap'), expected, { absolute: 1e-5 }, 'scores');
    });
  });
});

/** The REAP scores of block 0, whose attention alone is the program's. */
async function inLoops(model: Model, rows: readonly number[][]): Promise<number[]> {
  const { architecture, weights } = model;
  const { hidden, rmsNormEps } = architecture;
  const { count, chosen, weighs, width } = architecture.layers[0].ffn as ExpertsFeedForward;
  const forward = new Forward(model, rows[0].length);
  const open = await forward.open({ block: 0, attention: true, ffn: false }, true);
  const streams = await open.runAll(await forward.embed(rows));
  await open.close();
  const read = (name: LayerWeightKey['name']) => weights.read({ layer: 0, name });
  const [norm, router] = [await read('postNorm'), await read('router')];
  const matrices = await Promise.all(
    Array.from({ length: count }, async (_, e) => ({
      gate: await read(expertLinear(e, 'gate')),
      up: await read(expertLinear(e, 'up')),
      down: await read(expertLinear(e, 'down')),
    })),
  );
  const times = (matrix: Float32Array, x: readonly number[], out: number): number[] =>
    Array.from({ length: out }, (_, o) => x.reduce((sum, value, i) => sum + matrix[o * x.length + i] * value, 0));
  const [sums, tokens] = [new Array<number>(count).fill(0), new Array<number>(count).fill(0)];
  for (const { data } of streams) {
    for (let at = 0; at < data.length; at += hidden) {
      const x = Array.from(data.subarray(at, at + hidden));
      const size = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / hidden + rmsNormEps);
      const m = x.map((value, i) => (value / size) * norm[i]);
      const e = times(router, m, count).map(Math.exp);
      const total = e.reduce((a, b) => a + b, 0);
      const p = e.map((value) => value / total);
      const best = [...p.keys()].sort((a, b) => p[b] - p[a]).slice(0, chosen);
      const of = weighs === 'chosen' ? best.reduce((sum, j) => sum + p[j], 0) : 1;
      for (const j of best) {
        const up = times(matrices[j].up, m, width);
        const inner = times(matrices[j].gate, m, width).map((z, i) => (z / (1 + Math.exp(-z))) * up[i]);
        tokens[j]++;
        sums[j] += (p[j] / of) * Math.hypot(...times(matrices[j].down, inner, hidden));
      }
    }
  }
  return sums.map((sum, j) => (tokens[j] > 0 ? sum / tokens[j] : 0));
}
