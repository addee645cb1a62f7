/** Memory of a cell, predicted: the paper's Table 9, and the parts of the formula. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type Architecture, PLAIN_STYLE } from '../../../../src/engine/checkpoint/architecture';
import {
  cacheBytes,
  DECODER,
  PAPER_DEVICE,
  predictMemory,
  readParameters,
} from '../../../../src/engine/evaluate/grid/memory';
import { parametersOf } from '../../../../src/engine/checkpoint/parameters';
import { type PlainShape, plainLayer } from '../../../../src/engine/checkpoint/kinds/plain';
import { fullView, type View, viewWithout } from '../../../../src/engine/model/view';
import { itShared, shared } from '../../../support/shared';

const GiB = 2 ** 30;

function architecture(blocks: number, hidden: number, layer: Partial<PlainShape>, tied = false): Architecture {
  const heads = layer.heads ?? 32;
  const shape = plainLayer({
    heads,
    kvHeads: heads,
    headDim: hidden / heads,
    ffn: 0,
    window: null,
    rope: null,
    biases: [],
    qkNorm: null,
    fused: false,
    ...layer,
  });
  const layers = Array.from({ length: blocks }, () => shape);
  return {
    style: PLAIN_STYLE,
    family: 'llama',
    layers,
    hidden,
    vocabulary: 32_000,
    context: 2048,
    rmsNormEps: 1e-5,
    tied,
    eosTokenIds: [],
  };
}

const LLAMA_7B = architecture(32, 4096, { heads: 32, ffn: 11_008 });
const LLAMA_13B = architecture(40, 5120, { heads: 40, ffn: 13_824 });
const SMOLLM2 = {
  ...architecture(30, 576, { heads: 9, kvHeads: 3, headDim: 64, ffn: 1536 }, true),
  vocabulary: 49_152,
};

/** Without the last `removed` blocks. */
const shorter = (a: Architecture, removed: number): View =>
  viewWithout(
    a.layers.length,
    Array.from({ length: removed }, (_, i) => ({ block: a.layers.length - 1 - i })),
  );

/** Rows of Table 9 with the blocks that each lacks. */
const ROWS: readonly (readonly [name: string, a: Architecture, removed: number])[] = [
  ['7B', LLAMA_7B, 0],
  ['7B-20', LLAMA_7B, 6],
  ['7B-27', LLAMA_7B, 9],
  ['7B-35', LLAMA_7B, 11],
  ['13B', LLAMA_13B, 0],
  ['13B-21', LLAMA_13B, 8],
  ['13B-29', LLAMA_13B, 11],
  ['13B-37', LLAMA_13B, 15],
];

describe('predicted memory', () => {
  it('has the parameters of the models that it is about', () => {
    assert.equal(parametersOf(LLAMA_7B), 6_738_415_616);
    assert.equal(parametersOf(LLAMA_13B), 13_015_864_320);
    // A pruned model reads what is left, and one row of the embedding.
    assert.equal(readParameters(LLAMA_7B, shorter(LLAMA_7B, 6)), 5_524_115_456 - 32_000 * 4096);
  });

  itShared("is the paper's Table 9 within 0.27 GiB, with both cells that do not fit", () => {
    const tables = JSON.parse(readFileSync(shared('spec/reference_tables.json'), 'utf8')) as {
      readonly table9_GiB: Readonly<Record<string, readonly (number | string)[]>>;
    };
    const { columns, ...rows } = tables.table9_GiB;
    let [cells, beyond] = [0, 0];
    for (const [name, a, removed] of ROWS) {
      for (const [i, column] of columns.entries()) {
        const [, newTokens, batch] = /^L(\d+)M(\d+)$/.exec(String(column))!.map(Number);
        const cell = { batch, promptTokens: 12, newTokens };
        const predicted = predictMemory(a, shorter(a, removed), cell, PAPER_DEVICE).total / GiB;
        const actual = rows[name][i];
        if (typeof actual === 'number') {
          cells++;
          assert.ok(Math.abs(predicted - actual) <= 0.27, `${name} ${column}: ${predicted}, the paper has ${actual}`);
          assert.ok(predicted < 80, `${name} ${column}`);
        } else {
          beyond++;
          assert.ok(predicted > 80, `${name} ${column}: ${predicted}`);
        }
      }
    }
    assert.deepEqual([cells, beyond], [46, 2]);
  });

  it('of SmolLM2: 46 080 bytes a token, 1.44 GiB of 64 texts, 1.15 without six blocks', () => {
    const model = { ...DECODER, growth: 1 };
    const cell = (batch: number, newTokens: number) => ({ batch, promptTokens: 12, newTokens });
    assert.equal(cacheBytes(SMOLLM2, fullView(30), { batch: 1, promptTokens: 0, newTokens: 1 }, model), 46_080);
    assert.equal((cacheBytes(SMOLLM2, fullView(30), cell(64, 512), model) / GiB).toFixed(2), '1.44');
    assert.equal((cacheBytes(SMOLLM2, shorter(SMOLLM2, 6), cell(64, 512), model) / GiB).toFixed(2), '1.15');
  });

  it('counts modules, windows and steps of growth', () => {
    const cell = { batch: 2, promptTokens: 12, newTokens: 100 };
    const whole = cacheBytes(SMOLLM2, fullView(30), cell, PAPER_DEVICE);
    const without = viewWithout(30, [
      { block: 3, part: 'ffn' },
      { block: 4, part: 'attention' },
    ]);
    assert.equal(cacheBytes(SMOLLM2, without, cell, PAPER_DEVICE), (whole / 30) * 29);
    const windowed = architecture(4, 64, { heads: 4, window: 10, ffn: 8 });
    assert.equal(cacheBytes(windowed, fullView(4), cell, PAPER_DEVICE), 4 * 2 * 64 * 2 * 2 * 10);
    // The decoder keeps everything, in steps of 64 positions but no more than the text has.
    assert.equal(cacheBytes(windowed, fullView(4), cell, DECODER), 4 * 2 * 64 * 4 * 2 * 112);
    assert.equal(cacheBytes(windowed, fullView(4), { ...cell, newTokens: 40 }, DECODER), 4 * 2 * 64 * 4 * 2 * 52);
    assert.equal(cacheBytes(windowed, fullView(4), { ...cell, newTokens: 53 }, DECODER), 4 * 2 * 64 * 4 * 2 * 64);
  });
});
