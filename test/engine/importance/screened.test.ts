/** Scores that are screened in int8: what is float32 has the bits of a sweep in float32, and it is what matters. */
import assert from 'node:assert/strict';
import { comparisonSweepWork, sweepWork } from '../../../src/engine/importance/cost';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import * as kl from '../../../src/engine/importance/criteria/kl';
import * as ppl from '../../../src/engine/importance/criteria/ppl';
import type { Screening } from '../../../src/engine/importance/screened-sweep';
import { SweepMemory } from '../../../src/engine/importance/sweep-memory';
import { type Compared, sweepComparisons, sweepLosses } from '../../../src/engine/importance/sweep';
import { fullView, stepsOf, viewWithout } from '../../../src/engine/model/view';
import type { Progress } from '../../../src/engine/progress';
import { CancelledError } from '../../../src/engine/errors';
import { describedModel, withModel, withScreen } from '../../support/model';
import { randomRows } from '../../support/random';
import { full, itFull } from '../../support/shared';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const SAMPLE = 'media/sample';
const rows = randomRows(3, 24, 288, 5);

interface Scored {
  readonly score: number;
  readonly precision: string;
  readonly margin?: number;
}

/** Checks screened parts against the same in float32, and the least important ones. */
function assertExact<T extends Scored>(
  [found, exact]: readonly [readonly T[], readonly T[]],
  [order, expected]: readonly [readonly unknown[], readonly unknown[]],
  count: number,
  nats: (part: T) => number,
): void {
  assert.deepEqual(order.slice(0, count), expected.slice(0, count), 'the exact part');
  assert.ok(found.filter(({ precision }) => precision === 'float32').length >= count);
  for (const [i, part] of found.entries()) {
    if (part.precision === 'float32') {
      assert.deepEqual(part, exact[i], `part ${i}, bit for bit`);
    } else {
      // A margin is made for those next to the exact part. Of all others, on a text of random tokens, one may be further off.
      const off = Math.abs(nats(part) - nats(exact[i]));
      assert.ok(part.margin! > 0 && off <= 1.5 * part.margin!, `part ${i} is off by ${off}, and says ${part.margin}`);
    }
  }
}

describe('screened scores', () => {
  describe('of the sample model', () => {
    const model = describedModel(() => SAMPLE);
    const text = randomRows(4, 32, 1000, 2);
    const pruned = viewWithout(12, [{ block: 4 }, { block: 7, part: 'ffn' }]);

    for (const exact of [undefined, 2, 7]) {
      (exact === undefined ? it : itFull)(
        `by perplexity: ${exact ?? 'a third'} of the blocks, and modules of a pruned model`,
        async () => {
          await withScreen(model(), async ({ model: rounded }) => {
            const screening: Screening = { model: rounded, exact };
            const blocks = await ppl.scoreBlocks(model(), text, { seed: 1, screening });
            const plain = await ppl.scoreBlocks(model(), text, { seed: 1 });
            assert.deepEqual(blocks.full, plain.full);
            const nats = ({ meanNll }: { meanNll: number }): number => meanNll;
            assertExact([blocks.blocks, plain.blocks], [blocks.order, plain.order], exact ?? 4, nats);
            if (!full) return; // modules are screened below
            const options = { view: pruned, seed: 1 };
            const modules = await ppl.scoreModules(model(), text, { ...options, screening });
            const each = await ppl.scoreModules(model(), text, options);
            assertExact([modules.modules, each.modules], [modules.order, each.order], exact ?? 7, nats);
          });
        },
      );
    }

    it('by divergence: blocks, and modules of a pruned model', async () => {
      await withScreen(model(), async (screening) => {
        const nats = ({ score }: Scored): number => score;
        if (full) {
          const blocks = await kl.scoreBlocks(model(), text, { seed: 1, screening });
          const plain = await kl.scoreBlocks(model(), text, { seed: 1 });
          assert.deepEqual(blocks.full, plain.full);
          assertExact([blocks.blocks, plain.blocks], [blocks.order, plain.order], 4, nats);
        }
        const options = { view: pruned, seed: 1 };
        const modules = await kl.scoreModules(model(), text, { ...options, screening });
        const each = await kl.scoreModules(model(), text, options);
        assert.deepEqual(modules.full, each.full);
        assertExact([modules.modules, each.modules], [modules.order, each.order], 7, nats);
      });
    });

    for (const objective of ['ppl', 'kl'] as const) {
      (objective === 'kl' ? itFull : it)(
        `in turn by ${objective}: the removals are those of float32, bit for bit`,
        async () => {
          await withScreen(model(), async (screening) => {
            const count = full ? 5 : 2;
            const options = { count, objective };
            const { screen, ...found } = await scoreGreedy(model(), text, { ...options, screening });
            assert.deepEqual(found, await scoreGreedy(model(), text, options));
            const swept = [12, 11, 10, 9, 8].slice(0, count).reduce((a, b) => a + b);
            assert.ok(screen!.confirmed < swept, `${screen!.confirmed} models in float32`);
          });
        },
      );
    }

    it('never computes blocks in float32 that are kept', async () => {
      await withScreen(model(), async ({ model: rounded }) => {
        const kept = new Set([2, 3, 4, 5, 6, 7]);
        const screening = { model: rounded, exact: 2, kept };
        const { blocks } = await ppl.scoreBlocks(model(), text, { seed: 1, screening });
        assert.ok(blocks.every(({ index, precision }) => precision === 'int8' || !kept.has(index)));
      });
    });

    it('reaches the end of its progress, and can be cancelled in both parts', async () => {
      await withScreen(model(), async (screening) => {
        const reports: Progress[] = [];
        await ppl.scoreBlocks(model(), text, { seed: 1, screening }, { onProgress: (report) => reports.push(report) });
        const shares = reports.map(({ done, total }) => done / total);
        assert.equal(shares.at(-1), 1);
        assert.deepEqual(
          shares,
          [...shares].sort((a, b) => a - b),
        );
        for (const part of ['screening', 'exact']) {
          const abort = new AbortController();
          const onProgress = ({ label }: Progress): void => {
            if (label.startsWith(part)) abort.abort();
          };
          const job = { signal: abort.signal, onProgress };
          await assert.rejects(ppl.scoreBlocks(model(), text, { seed: 1, screening }, job), CancelledError);
        }
      });
    });
  });

  it('leave the model open when the screen is closed', async () => {
    await withModel(tinyCheckpoint('llama-bias'), async (model) => {
      const before = await ppl.scoreBlocks(model, rows, { seed: 1 });
      await withScreen(model, ({ model: rounded }) => ppl.scoreBlocks(rounded, rows, { seed: 1 }));
      assert.deepEqual(await ppl.scoreBlocks(model, rows, { seed: 1 }), before);
    });
  });
});

describe('a sweep that remembers', () => {
  const whole = stepsOf(fullView(4));
  const batches = [[2], [0, 3], [1]];

  /** All candidates at once and one batch after another, with and without known losses of the model. */
  async function twice(sweep: (some: number[], memory?: SweepMemory<unknown>) => Promise<unknown[]>) {
    const [full, ...each] = await sweep([0, 1, 2, 3]);
    for (const memory of [new SweepMemory(), new SweepMemory(full)]) {
      for (const batch of batches) {
        assert.deepEqual(await sweep(batch, memory), [full, ...batch.map((k) => each[k])], batch.join());
      }
      memory.forget();
    }
  }

  for (const name of [TINY_MODELS[0], TINY_MODELS[1]]) {
    for (const states of [100, 12, 3]) {
      // Of one model what fits, of both what does not.
      (name === TINY_MODELS[0] || states === 3 ? it : itFull)(
        `gives the same bits in batches: ${name}, room for ${states} states of all rows`,
        async () => {
          const memory = states * 3 * 24 * 64 * 4;
          await withModel(
            tinyCheckpoint(name),
            async (model) => {
              await twice(async (some, known) => {
                const memoryOf = known as SweepMemory<Float64Array> | undefined;
                const { full, without } = await sweepLosses(model, rows, whole, some, {}, memoryOf);
                return [full, ...without];
              });
              await twice(async (some, known) => {
                const memoryOf = known as SweepMemory<Compared> | undefined;
                const found = await sweepComparisons(model, 'full', rows, whole, some, {}, memoryOf);
                return [found.full, ...found.without].map(({ losses, divergences }) => ({ losses, divergences }));
              });
            },
            { memory },
          );
        },
      );
    }
  }

  it('counts its work: what is done is what was announced', async () => {
    await withModel(tinyCheckpoint(TINY_MODELS[0]), async (model) => {
      const memory = new SweepMemory<Float64Array>();
      const compared = new SweepMemory<Compared>();
      for (const batch of [[2], [0, 3], [1], []]) {
        const reports: Progress[] = [];
        const job = { onProgress: (report: Progress) => reports.push(report) };
        const ends = async (sweep: Promise<unknown>): Promise<void> => {
          reports.length = 0;
          await sweep;
          if (batch.length === 0) {
            assert.equal(reports.length, 0);
            return;
          }
          const { done, total } = reports.at(-1)!;
          assert.ok(Math.abs(done - total) < 1e-6 * total, `${done} of ${total}`);
        };
        await ends(sweepLosses(model, rows, whole, batch, job, memory));
        await ends(sweepComparisons(model, 'full', rows, whole, batch, job, compared));
      }
      memory.forget();
      compared.forget();
      const { architecture } = model;
      const known = { states: 5, losses: true, needsLast: false };
      const head = sweepWork(architecture, 4, []) - 4;
      assert.equal(sweepWork(architecture, 4, [1, 2], undefined, known), 3 + 2 * head);
      assert.equal(sweepWork(architecture, 4, [1, 2], undefined, { ...known, states: 0 }), 2 + 3 + 2 * head);
      assert.equal(comparisonSweepWork(architecture, 4, [1]), 4 + 2 + 3 * head);
    });
  });
});
