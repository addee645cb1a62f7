/** Memory of sessions that stay open while a score passes over the model again and again. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { heldBytes } from '../../../src/estimates/held-sessions';
import { estimatedJob } from '../../../src/estimates/job';
import { modelsAt } from '../../../src/estimates/models';
import type { JsonObject } from '../../../src/format/json';
import type { Kind } from '../../../src/jobs/kinds';
import { architectureOf } from '../../support/checkpoint-files';

const calibration = resolve(import.meta.dirname, '../../../media/sample/calibration.txt');
const architecture = architectureOf({
  ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
  ...{ num_key_value_heads: 3, vocab_size: 49152, tie_word_embeddings: true },
});
const models = modelsAt((path) => (path === 'smol' ? { architecture, bytes: 270e6 } : undefined));

/** In numbers of the model; all memory is free unless told. */
function held(kind: Kind, options: JsonObject, free = 1e12): number {
  const job = estimatedJob({ kind, options: { checkpoint: 'smol', calibration, out: 'o', ...options } }, models)!;
  return heldBytes(job, free) / parametersOf(architecture);
}

// Each weight is there twice; those of the head (21 % of the model) belong to two graphs.
const FLOAT32 = 2 * 4 * (1 + (49_152 * 576) / parametersOf(architecture));
const INT8 = 2 * 1.2;

describe('sessions that a score keeps open', () => {
  it('are those of the model where its blocks go one after another', () => {
    const bytes = held('score', { criterion: 'greedy', precision: 'float32', count: 2 });
    assert.ok(Math.abs(bytes / FLOAT32 - 1) < 0.01, String(bytes));
  });

  it('are those of two models where one in int8 screens the other', () => {
    const bytes = held('score', { criterion: 'greedy', precision: 'int8', count: 2 });
    assert.ok(bytes > FLOAT32 + INT8 && bytes < 1.4 * FLOAT32, String(bytes));
  });

  it('are none where the model is passed once, or no block runs', () => {
    assert.equal(held('score', { criterion: 'kl', race: false, precision: 'float32', samples: 10 }), 0);
    assert.equal(held('score', { criterion: 'magnitude' }), 0);
    assert.ok(held('score', { criterion: 'kl', precision: 'float32', samples: 100, count: 3 }) > 0, 'a race');
  });

  it('are none where memory has no room for them', () => {
    assert.equal(held('score', { criterion: 'greedy', precision: 'float32', count: 2 }, 2e9), 0);
  });

  it('are the same for a job that scores before it prunes', () => {
    for (const kind of ['score', 'prune'] as const) {
      const bytes = held(kind, { criterion: 'greedy', precision: 'float32', count: 2 });
      assert.ok(Math.abs(bytes / FLOAT32 - 1) < 0.01, `${kind}: ${bytes}`);
    }
  });
});
