/** Scores in parts: whatever the criterion, the record of one process to the last bit, and the same with little memory. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeAdapter } from '../../../src/engine/adapter/files';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import type { Criterion } from '../../../src/engine/importance/criteria';
import { runCriterion } from '../../../src/engine/importance/run-criterion';
import { viewWithout } from '../../../src/engine/model/view';
import type { GivenFor } from '../../../src/jobs/kinds';
import { randomAdapter } from '../../support/adapters';
import { brokenCheckpoint } from '../../support/broken';
import { writePatch } from '../../support/patches';
import { assertSameInParts } from '../../support/parts';
import { describeShared, full, itFull, shared } from '../../support/shared';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const SAMPLE = resolve(import.meta.dirname, '../../../media/sample');
const [ROWS, LENGTH] = [7, 200]; // three rows go in one run, so there are three runs
const RUNS = 3;
const [BLOCKS, HIDDEN] = [5, 64];

function rowsFile(): string {
  const file = join(temporaryFolder(), 'rows.json');
  const row = (r: number): number[] => Array.from({ length: LENGTH }, (_, i) => 3 + ((i * 37 + r * 101) % 200));
  writeFileSync(file, JSON.stringify({ rows: Array.from({ length: ROWS }, (_, r) => row(r)) }));
  return file;
}

const toy = (name: Parameters<typeof tinyCheckpoint>[0] = 'llama-gqa-tied'): string =>
  tinyCheckpoint(name, { tokenizer: true, config: { num_hidden_layers: BLOCKS } });

const REMOVE = [1, '2.ffn'] as const;

type Given = Omit<GivenFor<'score'>, 'checkpoint' | 'criterion'>;

/** With the numbers of parts that are tried; the last one in quick runs too. */
const CASES: readonly (readonly [Criterion, string, Given, readonly number[]])[] = [
  ['ppl', 'blocks', {}, [1, RUNS * BLOCKS, 4]],
  ['ppl', 'modules of a view', { granularity: 'module', remove: [...REMOVE] }, [5]],
  ['kl', 'blocks', {}, [1, 4, RUNS * BLOCKS]],
  ['kl', 'modules', { granularity: 'module' }, [8]],
  ['kl', 'modules of a view', { granularity: 'module', remove: [...REMOVE] }, [5]],
  ['taylor', 'blocks', {}, [1, 2, BLOCKS]],
  ['taylor', 'a view', { remove: [...REMOVE] }, [3]],
  ['magnitude', 'blocks', {}, [1, 2, BLOCKS]],
  ['magnitude', 'another norm of a view', { norm: 'l2', reduction: 'product', remove: [...REMOVE] }, [3]],
  ['block-influence', 'blocks', {}, [1, 2, RUNS]],
  ['block-influence', 'a view', { remove: [...REMOVE] }, [2]],
  ['angular', 'blocks', {}, [1, 2, RUNS]],
  ['angular', 'a view', { remove: [...REMOVE] }, [2]],
  ['ppl', 'blocks in int8', { precision: 'int8' }, [4]],
  ['kl', 'a view in int8', { precision: 'int8', remove: [...REMOVE] }, [4]],
];

/** Whether another case has the same without a part of the model. */
const isSimpler = (criterion: Criterion, given: Given): boolean =>
  given.remove === undefined &&
  CASES.some(
    ([other, , { remove, granularity, precision }]) =>
      other === criterion && remove && granularity === given.granularity && precision === given.precision,
  );

describe('scores in parts are those of one process', function () {
  this.timeout(120_000);

  for (const [criterion, what, given, counts] of CASES) {
    // The sweep by divergence has all that the one by perplexity has.
    const isLess = criterion === 'ppl' && (given.granularity === undefined || given.precision === 'int8');
    const quick = !isSimpler(criterion, given) && !isLess;
    (quick ? it : itFull)(`${criterion}, ${what}`, async () => {
      const text = criterion === 'magnitude' ? {} : { calibration: rowsFile() };
      const options = { checkpoint: toy(), criterion, precision: 'float32', ...text, ...given } as const;
      const { result } = await assertSameInParts('score', options, full ? counts : counts.slice(-1));
      const scored = result.blocks ?? result.modules ?? result.windows;
      assert.ok(scored!.length > 1 && scored!.every(({ score }) => Number.isFinite(score)));
    });
  }

  it('by divergence with an adapter, from the model without it', async () => {
    const checkpoint = toy();
    const opened = await openCheckpoint(checkpoint);
    const adapter = join(temporaryFolder(), 'adapter');
    await writeAdapter(adapter, randomAdapter(requireArchitecture(opened)), opened);
    const options = { checkpoint, adapter, criterion: 'kl', calibration: rowsFile(), precision: 'float32' } as const;
    const { result } = await assertSameInParts('score', options, [5]);
    assert.ok(result.full!.kl! > 0);
  });

  for (const criterion of ['kl', 'magnitude'] as const) {
    (criterion === 'kl' ? itFull : it)(`by ${criterion} with healed weights`, async () => {
      const checkpoint = toy();
      const heal = await writePatch(join(temporaryFolder(), 'healed.safetensors'), checkpoint, [2]);
      const text = criterion === 'kl' ? { calibration: rowsFile() } : {};
      await assertSameInParts('score', { checkpoint, heal, criterion, ...text, precision: 'float32' }, [3]);
    });
  }

  it('where a weight is none: the same warnings', async () => {
    const checkpoint = await brokenCheckpoint('model.layers.1.mlp.down_proj.weight', [3], NaN);
    const { warnings } = await assertSameInParts('score', { checkpoint, criterion: 'magnitude' }, [2]);
    assert.match(warnings.join(), /block 1 are not finite.*the norm of model\.layers\.1\.mlp\.down_proj\.weight/);
  });
});

describe('scores with little memory are the same to the last bit', function () {
  this.timeout(120_000);
  const run = 3 * LENGTH * HIDDEN * 4; // bytes of the states of a run

  for (const [criterion, states] of [
    ['ppl', 2],
    ['kl', 5],
    ['block-influence', 1],
    ['angular', 1],
    ['taylor', 1],
  ] as const) {
    // Angles keep states as block influence does, and perplexities as divergences do.
    (criterion === 'angular' || criterion === 'ppl' ? itFull : it)(
      `${criterion}, with room for ${states} states of a run`,
      async () => {
        const checkpoint = await openCheckpoint(toy());
        const options = {
          calibration: rowsFile(),
          seed: 1,
          norm: 'l1',
          reduction: 'sum',
          device: 'cpu',
          threads: 1,
        } as const;
        const score = async (memory?: number, view = viewWithout(BLOCKS, [])) => {
          const { result } = await runCriterion(checkpoint, criterion, { ...options, memory }, {}, { view });
          return { ...result, temporaryBytes: undefined };
        };
        assert.deepEqual(await score(states * run), await score());
      },
    );
  }
});

describeShared('scores of a trained model in parts are those of one process', () => {
  const checkpoint = shared('models/stories260K-bf16');
  const text = { calibration: join(SAMPLE, 'calibration.txt'), samples: 6, length: 128 };
  for (const [criterion, parts] of [
    ['kl', 4],
    ['taylor', 5],
    ['magnitude', 3],
    ['block-influence', 2],
    ['angular', 2],
    ['ppl', 3],
  ] as const) {
    itFull(criterion, async () => {
      const given = criterion === 'magnitude' ? {} : text;
      await assertSameInParts('score', { checkpoint, criterion, precision: 'float32', ...given }, [parts]);
    });
  }
});
