/** Modules that go in turn, by what they add for what they save, against full logits in float64. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { blockBytes, moduleBytes } from '../../../src/engine/checkpoint/reduction';
import { scoreGreedy } from '../../../src/engine/importance/criteria/greedy';
import { type Saves, savesOf } from '../../../src/engine/importance/module-costs';
import { removeWithin } from '../../../src/engine/importance/modules-in-turn';
import { fullView, type RemovedPart, type Step, stepsOf, viewWithout } from '../../../src/engine/model/view';
import { loadReference, referenceForward, type ReferenceModel } from '../../reference/forward';
import { referenceDivergence } from '../../reference/measures';
import { assertAllClose, assertClose } from '../../support/close';
import { withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;
const ROWS = randomRows(4, 16, 288, 93);
const CLOSE = { absolute: 2e-5 };

/** Parameters of the modules, counted in the files by the names of tensors. */
function countedParameters({ tensors }: ReferenceModel): { attention: number; ffn: number }[] {
  const counts = Array.from({ length: BLOCKS }, () => ({ attention: 0, ffn: 0 }));
  for (const [name, { values }] of tensors) {
    const match = /^model\.layers\.(\d+)\.(self_attn|input_layernorm|mlp|post_attention_layernorm)\b/.exec(name);
    if (match) counts[Number(match[1])][/self|input/.test(match[2]) ? 'attention' : 'ffn'] += values.length;
  }
  return counts;
}

/** The definition: greedy with the whole list measured in each round, among what still fits. */
function referenceChoice(reference: ReferenceModel, size: number, open: readonly number[]): RemovedPart[] {
  const sizes = countedParameters(reference);
  const dense = ROWS.map((ids) => referenceForward(reference, ids).logits);
  const klOf = (removed: readonly RemovedPart[]): number => {
    const view = viewWithout(BLOCKS, removed);
    const all = ROWS.flatMap(
      (ids, r) => referenceDivergence(dense[r], referenceForward(reference, ids, view).logits).divergences,
    );
    return all.reduce((a, b) => a + b, 0) / all.length;
  };
  const gone: RemovedPart[] = [];
  let [left, now] = [size, 0];
  for (;;) {
    const each = open
      .flatMap((block) => [{ block, part: 'attention' } as const, { block, part: 'ffn' } as const])
      .filter((one) => !gone.some(({ block, part }) => block === one.block && part === one.part))
      .filter(({ block, part }) => sizes[block][part] <= left)
      .map((one) => ({ one, kl: klOf([...gone, one]), saved: sizes[one.block][one.part] }));
    if (each.length === 0) return gone;
    const best = each.reduce((a, b) => ((b.kl - now) / b.saved < (a.kl - now) / a.saved ? b : a));
    gone.push(best.one);
    [left, now] = [left - best.saved, best.kl];
  }
}

describe('modules that go in turn', () => {
  for (const name of ['ragged-plain', 'qwen3-qknorm'] as const) {
    it(`are those of the definition, and fill the size: ${name}`, async () => {
      const folder = tinyCheckpoint(name);
      const reference = loadReference(folder);
      const sizes = countedParameters(reference);
      const modules: Saves = ({ block, attention, ffn }) =>
        (attention ? sizes[block].attention : 0) + (ffn ? sizes[block].ffn : 0);
      const candidates = [0, 1, 3];
      const count = 1.5;
      const { full, removals } = await withModel(folder, (model) =>
        scoreGreedy(model, ROWS, { count, candidates, objective: 'kl', modules }),
      );
      assertClose(full.kl!, 0, { absolute: 1e-6 }, 'the original');
      const total = sizes.reduce((sum, { attention, ffn }) => sum + attention + ffn, 0);
      const expected = referenceChoice(reference, (count * total) / BLOCKS, candidates);
      assert.ok(expected.length > 1 && sizes.every(({ attention, ffn }) => attention > 0 && ffn > attention / 9));
      assert.deepEqual(
        removals.map(({ block, part }) => ({ block, part })),
        expected,
      );
      for (const [i, { block, part, saves, kl }] of removals.entries()) {
        assert.equal(saves, sizes[block][part!]);
        const view = viewWithout(BLOCKS, expected.slice(0, i + 1));
        const kls = ROWS.flatMap(
          (ids) =>
            referenceDivergence(referenceForward(reference, ids).logits, referenceForward(reference, ids, view).logits)
              .divergences,
        );
        assertClose(kl!, kls.reduce((a, b) => a + b, 0) / kls.length, CLOSE, `after removal ${i + 1}`);
      }
    });
  }

  it('are measured again in full every fifth round, and a third of them with the other half of what went in the others', async () => {
    const steps = stepsOf(fullView(15), true);
    const asked: number[] = [];
    // The earlier a module, the less it costs; each removal adds what the module costs alone.
    const price = new Map(steps.map((step, k) => [step, k + 1]));
    const sweep = (left: readonly Step[], candidates: readonly number[]) => {
      asked.push(candidates.length);
      const gone = steps.filter((step) => !left.includes(step));
      const now = gone.reduce((sum, step) => sum + price.get(step)!, 0);
      const loss = (meanNll: number) => ({ meanNll, ppl: Math.exp(meanNll), tokens: 1, rows: [meanNll] });
      return Promise.resolve({ full: loss(now), without: candidates.map((k) => loss(now + price.get(left[k])!)) });
    };
    const { removals } = await removeWithin(steps, { saves: () => 1, size: 7, sweep }, {});
    assert.deepEqual(asked, [30, 11, 10, 10, 9, 25, 8]);
    assert.deepEqual(
      removals.map(({ block, part }) => 2 * block + Number(part === 'ffn')),
      [0, 1, 2, 3, 4, 5, 6],
    );
  });

  it('stop before nothing is left, and where nothing fits', async () => {
    const steps = stepsOf(fullView(2), true);
    const loss = { meanNll: 1, ppl: Math.E, tokens: 1, rows: [1] };
    const sweep = (_: unknown, candidates: readonly number[]) =>
      Promise.resolve({ full: loss, without: candidates.map(() => loss) });
    const within = (size: number) => removeWithin(steps, { saves: () => 1, size, sweep }, {});
    assert.equal((await within(99)).removals.length, 3);
    assert.deepEqual((await within(0.5)).removals, []);
    assert.deepEqual((await within(0.5)).full, loss);
  });
});

describe('what a module saves', () => {
  it('in bytes: the tensors of its half of the block, with their entries', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied');
    const halves = moduleBytes(await openCheckpoint(folder));
    const bytes = blockBytes(await openCheckpoint(folder));
    assert.deepEqual(
      halves.map(({ attention, ffn }) => attention + ffn),
      bytes,
    );
    const counted = countedParameters(loadReference(folder));
    const width = bytes[0] / (counted[0].attention + counted[0].ffn);
    // Entries of the header are a small part even of small tensors.
    assertAllClose(
      halves.map(({ attention, ffn }) => attention / ffn),
      counted.map(({ attention, ffn }) => attention / ffn),
      { absolute: 0.1 },
      'attention against FFN',
    );
    assert.ok(width >= 2);
  });

  it('in time: equal for modules of one shape, above 0, and that of a block is the sum', () =>
    withModel(tinyCheckpoint('llama-plain'), async (model) => {
      const saves = await savesOf('time', model, ROWS);
      const attention = stepsOf(fullView(BLOCKS), true).filter((step) => step.attention);
      assert.ok(saves(attention[0]) > 0);
      assert.equal(new Set(attention.map(saves)).size, 1);
      const [block] = stepsOf(fullView(BLOCKS));
      const halves = stepsOf(fullView(BLOCKS), true).slice(0, 2);
      assert.equal(saves(block), saves(halves[0]) + saves(halves[1]));
    }));
});
