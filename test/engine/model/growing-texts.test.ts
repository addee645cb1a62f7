/**
 * Texts that grow in caches where a rotation depends on the length of the sequence: at every length they have the logits of
 * a text that is read as a whole.
 */
import assert from 'node:assert/strict';
import { Decoder } from '../../../src/engine/model/decoder';
import type { Model } from '../../../src/engine/model/model';
import { fullView } from '../../../src/engine/model/view';
import { assertAllClose } from '../../support/close';
import { describedModel, wholeLogits, withModel } from '../../support/model';
import { randomRows } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const VOCABULARY = 288;
/** Two ways of computing in float32. */
const CLOSE = { absolute: 5e-5 };

/** Of a head of 16: eight pairs. */
const LONGROPE = {
  rope_type: 'longrope',
  short_factor: [1, 1, 1.1, 1.2, 1.4, 1.7, 2, 2.5],
  long_factor: [1.2, 1.5, 2, 3, 4, 5, 7, 8],
  original_max_position_embeddings: 12,
};
const CASES = {
  dynamic: { max_position_embeddings: 12, rope_scaling: { rope_type: 'dynamic', factor: 4 } },
  longrope: { max_position_embeddings: 48, rope_scaling: LONGROPE },
  'longrope under a window': {
    model_type: 'mistral',
    architectures: ['MistralForCausalLM'],
    sliding_window: 5,
    max_position_embeddings: 48,
    rope_scaling: LONGROPE,
  },
};

describe('texts that grow over a bound of their rotation', () => {
  for (const [name, config] of Object.entries(CASES)) {
    describe(name, () => {
      const model = describedModel(() => tinyCheckpoint('llama-plain', { config }));
      const [first, second, third] = randomRows(3, 18, VOCABULARY, 3);

      it('one text, token by token and in pieces', async () => {
        await withDecoder(model(), 1, async (decoder) => {
          for (const [from, to] of [
            [0, 9],
            [9, 11],
            [11, 12],
            [12, 13],
            [13, 18],
          ]) {
            const logits = await decoder.append(first.slice(from, to));
            await check(model(), logits, [first.slice(0, to)]);
          }
        });
      });

      it('several texts side by side, which grow over it at different times', async () => {
        const texts = [first.slice(0, 14), second.slice(0, 11), third.slice(0, 6)];
        await withDecoder(model(), 1, async (decoder) => {
          await check(model(), await decoder.begin(texts), texts);
          for (let step = 0; step < 3; step++) {
            const next = texts.map((ids) => (7 * ids.length + 5) % VOCABULARY);
            texts.forEach((ids, t) => ids.push(next[t]));
            await check(model(), await decoder.appendToEach(next), texts);
          }
          decoder.keep([0, 2]);
          const kept = [texts[0], texts[2]];
          for (let step = 0; step < 5; step++) {
            kept.forEach((ids) => ids.push(9));
            await check(model(), await decoder.appendToEach([9, 9]), kept);
          }
        });
      });
    });
  }

  it('a prompt beyond the bound is read with its own angles, and another text after it with those of a short one', async () => {
    await withModel(tinyCheckpoint('llama-plain', { config: CASES.longrope }), async (opened) => {
      const [long] = randomRows(1, 20, VOCABULARY, 5);
      await withDecoder(opened, 1, async (decoder) => {
        await check(opened, await decoder.append(long), [long]);
        decoder.restart(1);
        await check(opened, await decoder.append(long.slice(0, 6)), [long.slice(0, 6)]);
      });
    });
  });
});

async function withDecoder(model: Model, texts: number, use: (decoder: Decoder) => Promise<void>): Promise<void> {
  const decoder = await Decoder.open(model, fullView(model.architecture.layers.length), 40, texts);
  try {
    await use(decoder);
  } finally {
    await decoder.close();
  }
}

/** @param logits of what follows each text, (texts, vocabulary) */
async function check(model: Model, logits: Float32Array, texts: readonly (readonly number[])[]): Promise<void> {
  assert.equal(logits.length, texts.length * VOCABULARY);
  for (const [t, ids] of texts.entries()) {
    const [expected] = await wholeLogits(model, ids, [ids.length - 1]);
    const actual = logits.subarray(t * VOCABULARY, (t + 1) * VOCABULARY);
    assertAllClose(actual, expected, CLOSE, `text ${t} of ${ids.length} tokens`);
  }
}
