/** Choosing a width in families whose matrices hold several Linears, and in those that can lose no head. */
import assert from 'node:assert/strict';
import { requireArchitecture } from '../../../../src/engine/checkpoint/open';
import { moduleParameters, parametersOf, parametersOfLayer } from '../../../../src/engine/checkpoint/parameters';
import { plainShape } from '../../../../src/engine/checkpoint/kinds/plain';
import { heal } from '../../../../src/engine/heal/heal';
import { measureWidth } from '../../../../src/engine/importance/width/measure';
import { SALIENCES, WIDTH_METHODS, type WidthRequest } from '../../../../src/engine/importance/width/methods';
import { parametersWithout } from '../../../../src/engine/importance/width/size';
import { assertAllClose, assertGradientClose } from '../../../support/close';
import { patchedTensors, viewOf } from '../../../support/healing';
import { openToy, withModel } from '../../../support/model';
import { randomRows } from '../../../support/random';
import { llamaAndPhi3 } from '../../../support/same-model';
import { itShared, shared } from '../../../support/shared';

const rows = randomRows(5, 16, 288, 52);
const whole = { first: 0, last: 3 };

const REQUESTS: readonly WidthRequest[] = [
  ...SALIENCES.map((salience): WidthRequest => ({ method: 'llm-pruner', salience, range: whole })),
  { method: 'flap' },
  { method: 'flap', structure: 'ul-um', metric: 'wifn' },
  { method: 'wanda-sp' },
];

describe('a model with q, k and v in one matrix, and gate and up in another', () => {
  const { llama, phi3 } = llamaAndPhi3();

  it('has the scores and the width of the same model with single ones, by every method', () =>
    withModel(llama, (single) =>
      withModel(phi3, async (fused) => {
        for (const request of REQUESTS) {
          const what = JSON.stringify(request);
          const [expected, found] = [
            await measureWidth(single, rows, request),
            await measureWidth(fused, rows, request),
          ];
          const [want, got] = [await expected.select({ ratio: 0.4 }), await found.select({ ratio: 0.4 })];
          assert.deepEqual(got.width.layers, want.width.layers, what);
          assert.equal(got.parametersAfter, want.parametersAfter, what);
          assert.ok(
            want.width.layers.some(({ groups }) => groups.length < 4),
            what,
          );
          for (const [i, { groups, neurons }] of want.scores.entries()) {
            assertAllClose(got.scores[i].groups, groups, { relative: 1e-4 }, `groups, ${what}`);
            assertAllClose(got.scores[i].neurons, neurons, { relative: 1e-4 }, `neurons, ${what}`);
          }
        }
      }),
    ));

  it('is healed like it', () =>
    withModel(llama, (single) =>
      withModel(phi3, async (fused) => {
        const [want, got] = [single, fused].map(async (model) => {
          const { patches } = await heal(model, viewOf(4, '1,2.ffn'), rows, { method: 'refit', measure: false });
          return patchedTensors(model, patches);
        });
        for (const [name, { values }] of await want)
          assertGradientClose((await got).get(name)!.values, values, 1e-5, name);
      }),
    ));
});

describe('a family with a norm over all heads at once', () => {
  const folder = (): string => shared('models/families2/olmo2-postnorm');

  itShared('loses neurons only, by every method, and the reason is told', () =>
    withModel(folder(), async (model) => {
      const { architecture } = model;
      for (const method of WIDTH_METHODS) {
        const measured = await measureWidth(model, rows, { method });
        const { width, parametersAfter, warnings, ratio } = await measured.select({ ratio: 0.5 });
        assert.ok(width.layers.every(({ groups }) => groups.length === 1 && groups[0] === 0));
        const gone = width.layers.reduce(
          (sum, { neurons }, i) => sum + plainShape(architecture.layers[i]).ffn - neurons.length,
          0,
        );
        assert.ok(gone > 0);
        const biases = method === 'flap' ? 2 * architecture.hidden * architecture.layers.length : 0;
        assert.equal(parametersAfter, parametersOf(architecture) - 3 * architecture.hidden * gone + biases);
        assert.ok(
          warnings.some((warning) => warning.includes('normalizes the queries of all heads at once')),
          method,
        );
        assert.ok(!warnings.some((warning) => /group of heads|lose all attention heads/.test(warning)), method);
        // FLAP's ratio is one of what can go.
        const neurons = architecture.layers.map(plainShape).reduce((sum, { ffn }) => sum + ffn, 0);
        if (method === 'flap') assert.ok(Math.abs(gone / neurons - ratio) < 0.02, `${gone} of ${neurons}`);
      }
    }),
  );
});

describe('the parameters of modules', () => {
  for (const [name, ffn] of [
    ['gemma2-softcap', (h: number, f: number): number => 3 * h * f + 2 * h],
    ['phi3-partial', (h: number, f: number): number => 3 * h * f + h],
    ['olmo2-postnorm', (h: number, f: number): number => 3 * h * f + h],
  ] as const) {
    itShared(`count every matrix and norm once: ${name}`, async () => {
      const architecture = requireArchitecture(await openToy(shared('models/families2', name)));
      const { hidden, layers } = architecture;
      const modules = moduleParameters(architecture, 1);
      assert.equal(modules.ffn, ffn(hidden, plainShape(layers[1]).ffn));
      assert.equal(modules.attention + modules.ffn, parametersOfLayer(architecture, 1));
      assert.equal(parametersWithout(architecture, ['1.ffn']), parametersOf(architecture) - modules.ffn);
    });
  }
});
