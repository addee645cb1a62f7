/**
 * Healing against the float64 reference, over every family and feature: blocks and single modules left out, at the start
 * and at the end of the model and beside each other, with biases, windows, tied heads and blocks of different shapes.
 */
import assert from 'node:assert/strict';
import { keyText } from '../../../src/engine/checkpoint/weight-key';
import type { HealOptions } from '../../../src/engine/heal/heal';
import { loadReference } from '../../reference/forward';
import { HEAL_TOLERANCE } from '../../support/heal-checks';
import { checkHealing, viewOf } from '../../support/healing';
import { describedModel, withModel } from '../../support/model';
import { randomRows, uniform } from '../../support/random';
import { full, itFull } from '../../support/shared';
import { RAGGED_MODELS, TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 4;
/** Fewer tokens than twice the width of any FFN, and more: a refit then sums products in another way. */
const rows = randomRows(6, 12, 288, 41);
const manyRows = randomRows(20, 16, 288, 41);

/** First, last and neighbouring blocks, modules alone, one module kept before or after everything. */
const EDGES = [
  '0',
  '3',
  '1,2',
  '0,1',
  '2.ffn',
  '1.attention',
  '0.attention',
  '3.ffn',
  '0.ffn,2.attention',
  '1.ffn,2',
  '1,2.attention',
  '0,3',
  '0.attention,3',
  '0-2,3.attention',
];

/** Each module goes with a chance of a third. */
function randomParts(seed: number): string {
  const next = uniform(seed);
  const modules = Array.from({ length: BLOCKS }, (_, b) => [`${b}.attention`, `${b}.ffn`]).flat();
  for (;;) {
    const gone = modules.filter(() => next() < 1 / 3);
    if (gone.length > 0 && gone.length < modules.length) return gone.join();
  }
}

const METHODS: readonly HealOptions[] = [
  { method: 'refit' },
  { method: 'refit', ridge: 0.5, step: 0.7, stepCut: 1 },
  { method: 'refit', ridge: 'auto' },
  { method: 'fold' },
  { method: 'fold', ridge: 'auto' },
  { method: 'scalar' },
];

const TOYS = [...TINY_MODELS, ...RAGGED_MODELS];
const hasNormBehind = (name: (typeof TOYS)[number]): boolean =>
  loadReference(tinyCheckpoint(name)).config.norms.ffn.after !== undefined;
const HEALED = TOYS.filter((name) => !hasNormBehind(name));

/** Where a norm is behind the Linears that healing corrects, a fold has no form. */
const BEHIND_NORMS = TOYS.filter(hasNormBehind);
const OWN_METHODS: readonly HealOptions[] = [
  { method: 'refit' },
  { method: 'refit', ridge: 0.5, step: 0.7, stepCut: 1 },
  { method: 'refit', ridge: 'auto' },
  { method: 'scalar' },
];

describe('healing against the float64 reference', () => {
  for (const [i, name] of HEALED.entries()) {
    describe(name, () => {
      const folder = tinyCheckpoint(name);
      const model = describedModel(() => folder);
      const reference = loadReference(folder);
      const { dtype } = reference.tensors.get('model.norm.weight')!;
      for (const [j, options] of METHODS.entries()) {
        const removed = j % 2 === 0 ? EDGES[(3 * i + j / 2) % EDGES.length] : randomParts(100 * i + j);
        // Each family has one of the methods, and each method two families.
        const test = full || j === i % METHODS.length ? it : itFull;
        test(`${options.method}${options.ridge ? `, ridge ${options.ridge}` : ''}, without ${removed}`, async () => {
          const isLong = j === 0 && (full || i === 0);
          const task = { reference, dtype, rows: isLong ? manyRows : rows, view: viewOf(BLOCKS, removed) };
          await checkHealing(model(), task, options, HEAL_TOLERANCE.toys);
        });
      }
    });
  }

  for (const [i, name] of BEHIND_NORMS.entries()) {
    describe(`${name}, with norms behind`, () => {
      const folder = tinyCheckpoint(name);
      const model = describedModel(() => folder);
      const reference = loadReference(folder);
      const { dtype } = reference.tensors.get('model.norm.weight')!;
      for (const [j, options] of OWN_METHODS.entries()) {
        const removed = j === 3 ? '1,2.attention' : EDGES[(5 * i + 2 * j + 2) % EDGES.length];
        // Each family has one of the methods.
        const test = j === (i + 2) % OWN_METHODS.length ? it : itFull;
        test(`${options.method}${options.ridge ? `, ridge ${options.ridge}` : ''}, without ${removed}`, async () => {
          const task = { reference, dtype, rows: full && j === 0 ? manyRows : rows, view: viewOf(BLOCKS, removed) };
          const { healed } = await checkHealing(model(), task, options, HEAL_TOLERANCE.behindNorms);
          const norms = healed.patches.filter(([key]) => keyText(key).endsWith('OutNorm')).length;
          const linears = options.method === 'scalar' ? 0 : healed.patches.length / 2;
          // On random rows no ridge may help.
          if (options.ridge !== 'auto') assert.ok(norms > 0);
          if (options.method === 'refit') assert.equal(norms, linears);
        });
      }
    });
  }

  it('every edge is met by a refit', () => {
    const met = HEALED.flatMap((_, i) => [0, 1].map((j) => EDGES[(3 * i + j) % EDGES.length]));
    assert.deepEqual(new Set(met), new Set(EDGES));
  });

  it('towards the dense stream of another model, with something left out and with nothing', async () => {
    const [student, teacher] = [1, 2].map((seed) => tinyCheckpoint('llama-bias', { seed }));
    const reference = loadReference(student);
    await withModel(teacher, (target) =>
      withModel(student, async (model) => {
        const dense = { reference: loadReference(teacher), model: target };
        for (const removed of ['1,2.ffn', '']) {
          for (const options of [{ method: 'refit' }, { method: 'fold' }, { method: 'scalar' }] as const) {
            if (!full && options.method !== (removed === '' ? 'refit' : 'fold')) continue; // a refit alone changes a model without cuts
            const task = { reference, dtype: 'F32', rows, view: viewOf(BLOCKS, removed), target: dense } as const;
            await checkHealing(model, task, options, HEAL_TOLERANCE.toys);
          }
        }
      }),
    );
  });

  it('rows of more tokens than a run takes, and more of them', async () => {
    const folder = tinyCheckpoint('mistral-window', { config: { num_hidden_layers: 2 } });
    const reference = loadReference(folder);
    await withModel(folder, async (model) => {
      const options = { method: 'refit', ridge: 'auto', measure: false } as const;
      // The second is a row that is longer than a run.
      for (const many of [randomRows(108, 12, 288, 42), ...(full ? [randomRows(1, 250, 288, 43)] : [])]) {
        const task = { reference, dtype: 'BF16', rows: many, view: viewOf(2, '0.ffn') } as const;
        const { healed } = await checkHealing(model, task, options, HEAL_TOLERANCE.toys);
        assert.equal(healed.fit, undefined);
      }
    });
  });
});
