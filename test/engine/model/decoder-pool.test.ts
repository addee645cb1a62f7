/** Models side by side share the sessions of equal blocks, and each writes what it writes alone. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { adapterPatches } from '../../../src/engine/adapter/adapter';
import { PLAIN_STYLE, type Style } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { generate } from '../../../src/engine/evaluate/generate';
import { type SampleColumn, writeSideBySide } from '../../../src/engine/evaluate/samples';
import { type Model, openModel } from '../../../src/engine/model/model';
import { fullView, parseRemoved, type View, viewWithout } from '../../../src/engine/model/view';
import { writePruned } from '../../../src/engine/write/write-pruned';
import type { Precision } from '../../../src/engine/precision';
import { randomAdapter } from '../../support/adapters';
import { watchSessions } from '../../support/model';
import { temporaryFolder } from '../../support/temporary';
import { tinyCheckpoint } from '../../support/tiny-models';

const BLOCKS = 6;
const OPTIONS = { maxNewTokens: 12, greedy: true, ignoreEos: true };
const CPU = { device: 'cpu' } as const;
const PROMPT = [5, 17, 42, 3];
const without = (list: string): View => viewWithout(BLOCKS, parseRemoved(list, BLOCKS));

/** Opens models, passes them with counts of their sessions to `use`, and closes them. */
async function withModels(
  open: readonly (() => Promise<Model>)[],
  use: (models: readonly Model[], counts: readonly ReturnType<typeof watchSessions>[]) => Promise<void>,
): Promise<void> {
  const models: Model[] = [];
  try {
    for (const one of open) models.push(await one());
    await use(models, models.map(watchSessions));
  } finally {
    for (const model of models) await model.close();
  }
}

/** Asserts that each column writes what it writes alone. @returns sessions that were opened for all of them */
async function opened(
  columns: readonly SampleColumn[],
  counts: readonly ReturnType<typeof watchSessions>[],
): Promise<number> {
  const alone = [];
  for (const { model, view } of columns) alone.push((await generate(model, PROMPT, { ...OPTIONS, view })).ids);
  const before = counts.map((count) => count.opened);
  const texts = await writeSideBySide(columns, OPTIONS, () => undefined);
  assert.deepEqual(
    texts.map(({ ids }) => ids),
    alone,
  );
  assert.deepEqual(
    counts.map(({ open }) => open),
    counts.map(() => 0),
  );
  return counts.reduce((sum, count, i) => sum + count.opened - before[i], 0);
}

describe('decoders that share sessions', () => {
  const path = (): string => tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: BLOCKS } });
  const column = (model: Model, view = fullView(model.architecture.layers.length)): SampleColumn => ({
    model,
    view,
    promptIds: PROMPT,
  });

  for (const precision of ['float32', 'int4'] satisfies Precision[]) {
    it(`${precision}: a model, two plans, a pruned copy and an adapter hold every block once`, async () => {
      const checkpoint = await openCheckpoint(path());
      const copy = join(temporaryFolder(), 'pruned');
      await writePruned(checkpoint, [2, 3], copy);
      const options = { device: 'cpu', precision } as const;
      const open = (): Promise<Model> => openModel(checkpoint, options);
      const adapted = async (): Promise<Model> => {
        const adapter = randomAdapter(requireArchitecture(checkpoint), { targets: ['q', 'v', 'down'] });
        return openModel(checkpoint, { ...options, changes: [adapterPatches(adapter)] });
      };
      const pruned = async (): Promise<Model> => openModel(await openCheckpoint(copy), options);
      await withModels([open, open, pruned, adapted], async ([whole, other, short, tuned], counts) => {
        // 0, 1 | 2, 3 | 4, 5 and the head
        assert.equal(await opened([column(whole), column(other, without('2,3')), column(short)], counts), 3);
        // the adapter's matrices are feeds
        assert.equal(await opened([column(whole), column(tuned), column(tuned, without('2,3'))], counts), 3);
        // the FFN alone is a part of its own: 0 | 1 | 1.ffn | 2 to 5 and the head
        assert.equal(await opened([column(whole), column(whole, without('1.attention'))], counts), 4);
        assert.equal(await opened([column(whole)], counts), 1);
      });
    });
  }

  it('models of two styles share only what computes alike, though all their numbers are equal', async () => {
    const folder = tinyCheckpoint('llama-gqa-tied', { config: { num_hidden_layers: BLOCKS } });
    const checkpoint = await openCheckpoint(folder);
    const architecture = requireArchitecture(checkpoint);
    const styled = (style: Partial<Style>) => (): Promise<Model> =>
      openModel({ ...checkpoint, architecture: { ...architecture, style: { ...PLAIN_STYLE, ...style } } }, CPU);
    const of = async (style: Partial<Style>): Promise<number> => {
      let found = 0;
      await withModels([styled({}), styled(style)], async (models, counts) => {
        found = await opened(
          models.map((model) => column(model)),
          counts,
        );
      });
      return found;
    };
    assert.equal(await of({}), 1);
    // The head is a session of its own where blocks alone are shared.
    for (const style of [
      { activation: 'gelu' },
      { residualScale: 0.5 },
      { scoreScale: 0.3 },
      { scoreCap: 4 },
    ] as const) {
      assert.equal(await of(style), 3, JSON.stringify(style));
    }
    assert.equal(await of({ normOffset: 1 }), 2);
    for (const style of [{ logitCap: 2 }, { logitScale: 0.1 }]) assert.equal(await of(style), 3, JSON.stringify(style));
  });

  it('drafts share their blocks too: a model and a plan, each with itself in 4 bits as its draft', async () => {
    const checkpoint = await openCheckpoint(path());
    const open = (['float32', 'float32', 'int4', 'int4'] as const).map(
      (precision) => () => openModel(checkpoint, { device: 'cpu', precision }),
    );
    await withModels(open, async ([whole, other, small, smaller], counts) => {
      const drafted = (target: Model, draft: Model, view?: View): SampleColumn => {
        const own = column(target, view);
        return { ...own, draft: { model: draft, view: own.view, length: 3 } };
      };
      // of each precision: 0, 1 | 2, 3 | 4, 5 and the head
      assert.equal(await opened([drafted(whole, small), drafted(other, smaller, without('2,3'))], counts), 6);
      const [text] = await writeSideBySide([drafted(whole, small)], OPTIONS, () => undefined);
      assert.ok(text.speculated!.rounds < text.ids.length, 'some of what was proposed stayed');
    });
  });

  it('models of two precisions share nothing', async () => {
    const checkpoint = await openCheckpoint(path());
    const open = (['float32', 'int4'] as const).map(
      (precision) => () => openModel(checkpoint, { device: 'cpu', precision }),
    );
    await withModels(open, async (models, counts) => {
      assert.equal(
        await opened(
          models.map((model) => column(model)),
          counts,
        ),
        2,
      );
    });
  });
});
