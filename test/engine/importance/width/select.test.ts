/** Choosing a width: ratios and sizes, multiples, what cannot be done as asked, and the memory of one block. */
import assert from 'node:assert/strict';
import { parametersOf } from '../../../../src/engine/checkpoint/parameters';
import { narrowArchitecture } from '../../../../src/engine/checkpoint/width';
import { CancelledError, OptionError, UserError } from '../../../../src/engine/errors';
import { measureWidth } from '../../../../src/engine/importance/width/measure';
import { WIDTH_METHODS, type WidthRequest } from '../../../../src/engine/importance/width/methods';
import { parametersWithout } from '../../../../src/engine/importance/width/size';
import type { Model } from '../../../../src/engine/model/model';
import { adapterPatches } from '../../../../src/engine/adapter/adapter';
import { randomAdapter } from '../../../support/adapters';
import { brokenCheckpoint } from '../../../support/broken';
import { describedModel, openToy, watchSessions, withModel } from '../../../support/model';
import { randomRows } from '../../../support/random';
import { RAGGED_MODELS, tinyCheckpoint } from '../../../support/tiny-models';

const VOCABULARY = 288;
const rows = randomRows(5, 16, VOCABULARY, 52);

const choose = async (model: Model, request: WidthRequest, ratio: number) =>
  (await measureWidth(model, rows, request)).select({ ratio });

describe('a width', () => {
  const folder = tinyCheckpoint('llama-plain'); // 4 blocks with 4 groups and 96 neurons
  const model = describedModel(() => folder);

  for (const method of WIDTH_METHODS) {
    it(`by ${method}: the size nearest to what is asked for, as large as a model without blocks too`, async () => {
      const { architecture } = model();
      const measured = await measureWidth(model(), rows, { method, range: { first: 0, last: 3 } });
      const target = parametersWithout(architecture, [1, '2.ffn']);
      assert.equal(target, parametersWithout(architecture, [1]) - (64 + 3 * 64 * 96), 'a norm and three Linears');
      const choice = await measured.select({ parameters: target });
      assert.equal(choice.parametersBefore, parametersOf(architecture));
      assert.equal(choice.parametersAfter, parametersOf(narrowArchitecture(architecture, choice.width)));
      const again = await measured.select({ ratio: choice.ratio });
      assert.deepEqual(again.width, choice.width, 'the ratio that is returned gives the same model');
      const step = method === 'flap' ? 0.01 : 0.03;
      assert.ok(Math.abs(choice.parametersAfter - target) < step * target, `${choice.parametersAfter}, ${target}`);
      for (const parameters of [1000, parametersOf(architecture)]) {
        await assert.rejects(measured.select({ parameters }), OptionError);
      }
    });

    it(`by ${method}: neurons in multiples`, async () => {
      const plain = await choose(model(), { method }, 0.3);
      const { width, warnings } = await choose(model(), { method, multiple: 32 }, 0.3);
      let changed = 0;
      for (const [i, { neurons, groups }] of width.layers.entries()) {
        assert.ok(neurons.length === 96 || neurons.length % 32 === 0);
        if (method === 'wanda-sp' && i > 0) continue; // the blocks before differ
        assert.deepEqual(groups, plain.width.layers[i].groups);
        const [small, large] = [plain.width.layers[i].neurons, neurons].sort((a, b) => a.length - b.length);
        const within = new Set(large);
        assert.ok(
          small.every((neuron) => within.has(neuron)),
          'only the best are added, or the worst removed',
        );
        changed += Number(small.length < large.length);
      }
      assert.ok(changed > 0);
      assert.ok(!warnings.some((warning) => warning.includes('multiple of 8')));
      assert.ok(plain.warnings.some((warning) => warning.includes('multiple of 8')));
    });

    it(`by ${method}: the same from a file as from memory, with one session open at a time`, async () => {
      const expected = await choose(model(), { method }, 0.4);
      await withModel(
        folder,
        async (small) => {
          const sessions = watchSessions(small);
          assert.deepEqual((await choose(small, { method }, 0.4)).width, expected.width);
          assert.deepEqual([sessions.open, sessions.most], [0, 1]);
        },
        { memory: 1 },
      );
    });

    it(`by ${method}: stops when cancelled`, async () => {
      const controller = new AbortController();
      const job = { signal: controller.signal, onProgress: () => controller.abort() };
      await assert.rejects(
        async () => (await measureWidth(model(), rows, { method }, job)).select({ ratio: 0.3 }, job),
        CancelledError,
      );
    });
  }

  it('by LLM-Pruner touches the blocks of the range alone, and keeps one group of each', async () => {
    const { width, warnings } = await choose(model(), { method: 'llm-pruner', range: { first: 2, last: 3 } }, 0.999);
    assert.deepEqual(
      width.layers.map(({ groups, neurons }) => [groups.length, neurons.length]),
      [
        [4, 96],
        [4, 96],
        [1, 1],
        [1, 1],
      ],
    );
    assert.match(warnings.join('\n'), /2 blocks would lose all attention heads/);
    await assert.rejects(choose(model(), { method: 'llm-pruner', range: { first: 2, last: 4 } }, 0.5), OptionError);
  });

  it('by FLAP: at a high ratio every block keeps its best, which is more than was asked for', async () => {
    const { width, warnings, threshold } = await choose(model(), { method: 'flap' }, 0.98);
    assert.ok(width.layers.every(({ groups, neurons }) => groups.length > 0 && neurons.length > 0));
    assert.match(
      warnings.join('\n'),
      /FLAP keeps a group of heads in \d blocks?.*: \d.*% of heads and neurons stay, and 2\.0 % were/,
    );
    assert.ok(threshold !== undefined);
  });

  it('by FLAP without compensation has no biases; with one row nothing fluctuates', async () => {
    const measured = await measureWidth(model(), rows, { method: 'flap', compensation: false });
    const { width, parametersAfter } = await measured.select({ ratio: 0.5 });
    assert.equal(width.biases, undefined);
    const compensated = await choose(model(), { method: 'flap' }, 0.5);
    assert.deepEqual(compensated.width.layers, width.layers);
    assert.equal(compensated.parametersAfter - parametersAfter, 4 * 2 * 64);
    await assert.rejects(measureWidth(model(), rows.slice(0, 1), { method: 'flap' }), UserError);
  });

  it('with few key-value heads: a warning says from which ratio the first group goes', async () => {
    await withModel(tinyCheckpoint('llama-bias'), async (grouped) => {
      const { warnings } = await choose(grouped, { method: 'wanda-sp' }, 0.3);
      assert.match(
        warnings.join('\n'),
        /only 2 groups of heads.* 2 key-value heads; the first ones go from a ratio of 0\.5 on/,
      );
      const [first] = (await choose(grouped, { method: 'wanda-sp' }, 0.5)).width.layers;
      assert.equal(first.groups.length, 1);
    });
    await withModel(tinyCheckpoint('mistral-window'), async (single) => {
      assert.match(
        (await choose(single, { method: 'llm-pruner' }, 0.5)).warnings.join('\n'),
        /at any ratio: there is only 1 group of heads/,
      );
    });
  });

  it('needs finite scores, and says in which block they are not', async () => {
    const broken = await brokenCheckpoint('model.layers.2.mlp.up_proj.weight', [70], NaN);
    await withModel(broken, async (nan) => {
      await assert.rejects(choose(nan, { method: 'flap' }, 0.5), /block 2: the scores of its neurons are not finite/);
      await assert.rejects(choose(nan, { method: 'wanda-sp' }, 0.5), /block 2/);
      await assert.rejects(choose(nan, { method: 'llm-pruner' }, 0.5), /not finite/);
    });
  });

  it('of stored weights with an adapter on top cannot be chosen by gradients', async () => {
    const { architecture } = await openToy(folder);
    const changes = [adapterPatches(randomAdapter(architecture!))];
    await withModel(folder, (adapted) => assert.rejects(choose(adapted, { method: 'llm-pruner' }, 0.5), /adapter/), {
      changes,
    });
  });

  for (const name of [...RAGGED_MODELS, 'qwen2-mixed-windows', 'llama-wide-heads'] as const) {
    it(`of ${name}, by every method`, () =>
      withModel(tinyCheckpoint(name), async (each) => {
        for (const method of WIDTH_METHODS) {
          const { width, parametersAfter, parametersBefore } = await choose(
            each,
            { method, range: { first: 0, last: 3 } },
            0.5,
          );
          assert.equal(parametersOf(narrowArchitecture(each.architecture, width)), parametersAfter);
          assert.ok(parametersAfter < parametersBefore);
        }
      }));
  }
});
