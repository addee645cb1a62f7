/**
 * Gradients of a block, for every family and feature, against central differences of the float64 block: of all its
 * weights, of LoRA's matrices under dropout, and of its input.
 */
import { LINEAR_NAMES } from '../../../src/engine/adapter/names';
import { linearNames } from '../../../src/engine/checkpoint/architecture';
import { loadReference, type ReferenceModel } from '../../reference/forward';
import { BlockCase } from '../../support/block-gradients';
import { describedModel } from '../../support/model';
import { itFull } from '../../support/shared';
import {
  RAGGED_MODELS,
  shortConfig,
  smallRagged,
  TINY_MODELS,
  tinyCheckpoint,
  type TinyName,
} from '../../support/tiny-models';

/** Small enough to move every weight by itself; a window of 3 takes effect in 4 tokens. */
function smallCheckpoint(name: TinyName): string {
  return tinyCheckpoint(name, {
    config: { hidden_size: 8, intermediate_size: 10, head_dim: 4, ...shortConfig(name, 4) },
  });
}

/** The first block of every kind: blocks differ in windows and rotations. */
function blocksOf({ config }: ReferenceModel): number[] {
  const kinds = config.layers.map(({ window, rotation }) => JSON.stringify([window, rotation?.(4)]));
  return [...kinds.keys()].filter((block) => kinds.indexOf(kinds[block]) === block);
}

describe('gradients of a block', () => {
  for (const name of TINY_MODELS) {
    describe(name, () => {
      const folder = smallCheckpoint(name);
      const model = describedModel(() => folder);
      const reference = loadReference(folder);

      for (const block of blocksOf(reference)) {
        const step = { block, attention: true, ffn: true };
        it(`all weights of block ${block}`, () => new BlockCase(model(), reference, step, 2, 4).checkWeights());
        const once = block === 0 ? it : itFull;
        once(`adapters of block ${block}`, () =>
          new BlockCase(model(), reference, step, 2, 4).checkAdapters(linearNames(model().architecture)),
        );
      }
    });
  }

  for (const [i, name] of RAGGED_MODELS.entries()) {
    describe(name, () => {
      const folder = tinyCheckpoint(name, { config: smallRagged(name) });
      const model = describedModel(() => folder);
      const reference = loadReference(folder);

      for (const block of [0, 1, 2, 3]) {
        const step = { block, attention: true, ffn: true };
        it(`all weights of block ${block}`, () => new BlockCase(model(), reference, step, 2, 4).checkWeights());
        const once = block === i % 4 ? it : itFull;
        once(`adapters of block ${block}`, () =>
          new BlockCase(model(), reference, step, 2, 4).checkAdapters(LINEAR_NAMES),
        );
      }
    });
  }

  describe('parts', () => {
    const folder = smallCheckpoint('llama-bias');
    const model = describedModel(() => folder);
    const reference = loadReference(folder);

    it('adapters of some Linears only', async () => {
      const step = { block: 1, attention: true, ffn: true };
      await new BlockCase(model(), reference, step, 2, 4).checkAdapters(['k', 'v', 'up']);
      await new BlockCase(model(), reference, step, 2, 4).checkAdapters(['down']);
    });

    it('attention or FFN alone', async () => {
      for (const attention of [true, false]) {
        const step = { block: 2, attention, ffn: !attention };
        await new BlockCase(model(), reference, step, 2, 4).checkWeights();
        await new BlockCase(model(), reference, step, 2, 4).checkAdapters(
          LINEAR_NAMES.filter((name) => ['q', 'k', 'v', 'o'].includes(name) === attention),
        );
      }
    });
  });
});
