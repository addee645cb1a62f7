/** The work of measuring and of writing files: distributions, written answers, and quantizing cost what was measured of them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parametersOf } from '../../../src/engine/checkpoint/parameters';
import { headFlops } from '../../../src/engine/importance/estimate';
import { workOf } from '../../../src/estimates/job';
import { modelsAt } from '../../../src/estimates/models';
import type { Work } from '../../../src/estimates/work';
import type { JsonObject } from '../../../src/format/json';
import type { Kind } from '../../../src/jobs/kinds';
import { architectureOf } from '../../support/checkpoint-files';
import { temporaryFolder } from '../../support/temporary';

const sample = resolve(import.meta.dirname, '../../../media/sample');
const architecture = architectureOf({
  ...{ hidden_size: 576, intermediate_size: 1536, num_hidden_layers: 30, num_attention_heads: 9 },
  ...{ num_key_value_heads: 3, vocab_size: 49152, tie_word_embeddings: true },
});
const models = modelsAt((path) => (path === 'smol' ? { architecture, bytes: 270e6 } : undefined));

/** All work of a kind. */
function amount(kind: Kind, options: JsonObject, of: Work['kind']): number {
  const work = workOf({ kind, options }, models)!.filter((each) => each.kind === of);
  return work.reduce((sum, each) => sum + ('bytes' in each ? each.bytes : 'flops' in each ? each.flops : 0), 0);
}

describe('the work of measuring', () => {
  const text = { checkpoint: 'smol', text: join(sample, 'evaluation.txt'), window: 128, limit: 10 };

  it('beside another model is that of both, and both heads once more', () => {
    const alone = amount('eval', text, 'products');
    const both = amount('eval', { ...text, against: 'smol' }, 'products');
    const heads = 2 * headFlops(architecture, { rows: 10, length: 128 });
    assert.ok(Math.abs(both - 2 * alone - heads) < 1e-9 * both, `${both} and ${alone}`);
    // Every token with every word: 21 % of the model.
    const exact = 2 * 10 * 128 * 576 * 49_152;
    assert.ok(Math.abs(heads / 2 / exact - 1) < 0.1, `${heads / 2} and ${exact}`);
  });

  it('of a shorter model counts the original, which it is compared with', () => {
    const alone = amount('eval', text, 'products');
    assert.ok(amount('eval', { ...text, remove: [3, 4] }, 'products') > 2 * alone);
  });

  it('opens models once more for answers that are written', () => {
    const folder = temporaryFolder();
    const file = (name: string, items: readonly object[]): string => {
      const path = join(folder, name);
      writeFileSync(path, JSON.stringify({ name: 'some', title: 'Some', items }));
      return path;
    };
    const chosen = file('chosen.json', [{ context: 'A', choices: [' b', ' c'], answer: ' b' }]);
    const written = file('written.json', [{ prompt: 'A', expected: 'b' }]);
    const opened = (more: JsonObject): number => amount('tasks', { checkpoints: ['smol', 'smol'], ...more }, 'opened');
    const once = opened({ own: [chosen] });
    for (const own of [[written], [chosen, written]]) {
      assert.equal(opened({ own }) - once, 2 * 4 * parametersOf(architecture), own.join());
    }
    assert.equal(opened({ probes: ['copy', 'sums'] }), once);
    assert.ok(opened({ probes: ['all'] }) > once);
    assert.ok(opened({ probes: ['end'] }) > once);
  });
});

describe('the work of writing files', () => {
  it('in quantized types is more, above all in ONNX', () => {
    const compared = (format: string, type: string[]): number =>
      amount('export', { checkpoint: 'smol', format, type, out: 'o' }, 'compared') / (4 * parametersOf(architecture));
    for (const type of ['f16', 'F32', 'bf16']) assert.equal(compared('gguf', [type]), 1, type);
    for (const type of ['fp32', 'fp16']) assert.equal(compared('onnx', [type]), 1, type);
    assert.equal(compared('onnx', ['q8']), 1.8);
    assert.equal(compared('gguf', ['q4_k_m']), 1.15);
    assert.equal(compared('gguf', ['q8_0', 'f16']), 2.15);
  });
});
