/** The ways to a goal's size: what tokens, blocks and bits must each do for it, on the sample model and with sizes of its exports. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import { UserError } from '../../../src/engine/errors';
import { waysToSize } from '../../../src/host/ask/export-sizes';
import type { RunDigest, VocabularyDigest } from '../../../src/protocol/panel';
import { type SizeGoal, sizeWays } from '../../../src/state/size-ways';

const sample = resolve(import.meta.dirname, '../../../media/sample');

/** A report on the sample model, 2,048 tokens. */
const digest = {
  ...{ size: 2048, kept: 1408, min: 1, parameters: { before: 1, after: 1 }, bytes: { before: 1, after: 1 } },
  ...{ texts: { files: 1, tokens: 9 }, words: [], counts: [] },
  heldOut: {
    file: 'other.txt',
    pieces: 3,
    covered: 1,
    coverage: 0.97,
    growth: 1.04,
    bits: { before: 1, after: 1.068, growth: 0.068 },
  },
  rows: [
    { min: 1, kept: 1408, parameters: 1, coverage: 0.97, growth: 1.04 },
    { min: 2, kept: 1152, parameters: 1, coverage: 0.9, growth: 1.2 },
    { min: 20, kept: 512, parameters: 1, coverage: 0.6, growth: null },
  ],
} as unknown as VocabularyDigest;
const report = { run: 'report.json', digest };

const goalOf = (maxBytes: number, type: string | undefined = 'q8_0'): SizeGoal => ({ format: 'gguf', type, maxBytes });

describe('ways to a size', () => {
  let checkpoint: Checkpoint;
  /** Of the whole sample model as q8_0. */
  const WHOLE = 2_961_280;
  before(async () => {
    checkpoint = await openCheckpoint(sample);
  });
  const waysTo = (maxBytes: number, more: Partial<Parameters<typeof waysToSize>[0]> = {}) =>
    waysToSize({ checkpoint, goal: goalOf(maxBytes), runs: [], exported: () => undefined, ...more });

  it('are none where the whole model is small enough', async () => {
    assert.equal(await waysTo(WHOLE), undefined);
    assert.notEqual(await waysTo(WHOLE - 1), undefined);
  });

  it('are tokens, blocks and bits, each alone, with the fewest that are enough', async () => {
    const ways = (await waysTo(2_850_000, { report }))!;
    assert.deepEqual([ways.limit, ways.bytes], [2_850_000, WHOLE]);
    const { vocabulary, blocks, bits, together } = ways;
    assert.deepEqual(
      [vocabulary!.kept, vocabulary!.of, vocabulary!.min, vocabulary!.run, vocabulary!.fits],
      [1408, 2048, 1, 'report.json', true],
    );
    assert.deepEqual(vocabulary!.cost, { growth: 0.068, text: 'other.txt' });
    assert.deepEqual([blocks.count, blocks.of, blocks.fits, blocks.cost], [1, 12, true, null]);
    assert.deepEqual([bits!.type, bits!.fits, bits!.cost], ['q5_k_m', true, null]);
    assert.equal(together, null, 'one of them is enough');
    for (const way of [vocabulary!, blocks, bits!]) assert.ok(way.bytes <= 2_850_000);
  });

  it('take a higher least count where the own one is not enough, whose cost is not measured', async () => {
    const { vocabulary } = (await waysTo(2_790_000, { report }))!;
    assert.deepEqual(
      [vocabulary!.min, vocabulary!.kept, vocabulary!.coverage, vocabulary!.cost, vocabulary!.fits],
      [2, 1152, 0.9, null, true],
    );
  });

  it('come together where tokens are not enough: blocks in the type of the goal, and only then bits', async () => {
    const some = (await waysTo(2_200_000, { report }))!;
    assert.deepEqual([some.vocabulary!.fits, some.vocabulary!.min], [false, 1]);
    assert.equal(some.together!.fits, true);
    assert.equal(some.together!.type, 'q8_0');
    assert.equal(some.together!.kept, 1408);
    assert.ok(some.together!.count > 0 && some.together!.count <= some.blocks.count);
    assert.ok(some.together!.bytes <= 2_200_000);
    const less = (await waysTo(1_700_000, { report }))!;
    assert.deepEqual([less.blocks.fits, less.blocks.count], [false, 4], 'a third of them is the most');
    assert.deepEqual([less.together!.type, less.together!.fits, less.together!.count], ['q4_0', true, 0]);
    const none = (await waysTo(1_000_000, { report }))!;
    assert.deepEqual([none.together!.type, none.together!.fits, none.together!.count], ['q4_0', false, 4]);
    assert.ok(none.together!.bytes > 1_000_000);
  });

  it('need no report: then nothing is known of tokens', async () => {
    const { vocabulary, together, bits } = (await waysTo(2_000_000))!;
    assert.deepEqual([vocabulary, together, bits!.fits], [null, null, true]);
    const less = (await waysTo(1_500_000))!;
    assert.deepEqual([less.bits!.fits, less.together!.kept, less.together!.type], [false, undefined, 'q4_0']);
    assert.ok(less.together!.count > 0 && less.together!.fits);
    const coarsest = (await waysTo(1_500_000, { goal: goalOf(1_500_000, 'q4_0') }))!;
    assert.equal(coarsest.bits, null, 'no type is coarser');
    assert.equal(coarsest.together, null);
  });

  it('cost what runs have measured, in bits per byte: a curve of blocks, and an export of bits', async () => {
    const { identity } = checkpoint;
    const curve = {
      ...{ kind: 'curve', model: { name: 'sample', identity }, removed: [], settings: [] },
      curve: {
        ...{ criterion: 'ppl', text: 'prose.txt' },
        points: [
          { count: 0, removed: [], ppl: 10, parameters: 1 },
          { count: 1, removed: [3], ppl: 100, parameters: 1 },
        ],
      },
    } as unknown as RunDigest;
    const evaluated = (of: string, bitsPerByte: number): RunDigest =>
      ({
        ...{ kind: 'eval', model: { name: of, identity: of }, removed: [], settings: [], precision: 'float32' },
        quality: [{ label: of, ppl: 10, bitsPerByte, text: 'judge.txt', rowsKey: `${'ab'.repeat(32)} 4×128 bos none` }],
      }) as unknown as RunDigest;
    const runs = [evaluated('q5', 1.1), evaluated(identity, 1), curve];
    const exported = (type: string | undefined): string | undefined => (type === 'q5_k_m' ? 'q5' : undefined);
    const { blocks, bits } = (await waysTo(2_850_000, { runs, exported }))!;
    assert.ok(Math.abs(blocks.cost!.growth - 1) < 1e-12, 'ln 100 is twice ln 10');
    assert.equal(blocks.cost!.text, 'prose.txt');
    assert.ok(Math.abs(bits!.cost!.growth - 0.1) < 1e-12);
    assert.equal(bits!.cost!.text, 'judge.txt');
  });

  it('leave out types that the format cannot hold, and pass on that it cannot hold the model', async () => {
    const refused = new UserError('No', 'it cannot', 'Do not.');
    const known = {
      ...{ checkpoint, goal: goalOf(50), types: ['q8_0', 'q4_0', 'q4_1'], runs: [], exported: () => undefined },
      sizeOf: ({ type, removed }: { readonly type?: string; readonly removed: readonly number[] }) =>
        type === 'q4_0' ? Promise.reject(refused) : Promise.resolve((type === 'q8_0' ? 100 : 45) - removed.length),
    };
    assert.equal((await sizeWays(known))!.bits!.type, 'q4_1');
    await assert.rejects(sizeWays({ ...known, sizeOf: () => Promise.reject(refused) }), refused);
  });
});
