/** Recipes for other tools. */
import { mainDtype } from '../../../src/engine/checkpoint/main-dtype';
import assert from 'node:assert/strict';
import type { Checkpoint } from '../../../src/engine/checkpoint/types';
import type { TensorInfo } from '../../../src/engine/formats/tensor';
import { ggufOf, mergekitRecipe, pruneLayersCommand, requireKnownToMergekit } from '../../../src/engine/write/recipes';

const tensor = (name: string, dtype: TensorInfo['dtype'], bytes: number): [string, TensorInfo] => [
  name,
  { name, dtype, shape: [bytes], bytes },
];
const checkpoint = {
  tensors: new Map([tensor('a', 'F32', 10), tensor('b', 'BF16', 30), tensor('c', 'F32', 10)]),
} as unknown as Checkpoint;

describe('prune/recipes', () => {
  it('writes a mergekit passthrough of half-open slices in the type of most weights', () => {
    assert.equal(mainDtype(checkpoint), 'BF16');
    assert.equal(
      mergekitRecipe(
        'org/model "x"',
        [
          [0, 21],
          [29, 32],
        ],
        checkpoint,
      ),
      [
        'slices:',
        '  - sources:',
        '      - model: "org/model \\"x\\""',
        '        layer_range: [0, 21]',
        '  - sources:',
        '      - model: "org/model \\"x\\""',
        '        layer_range: [29, 32]',
        'merge_method: passthrough',
        'dtype: bfloat16',
        '',
      ].join('\n'),
    );
  });

  it('has none for mergekit of a GGUF file, and one for llama.cpp that names the file', () => {
    const gguf = { format: 'gguf', home: '/m/big.gguf' } as unknown as Checkpoint;
    assert.throws(() => requireKnownToMergekit(gguf), { name: 'UserError', what: /recipe for big in mergekit/ });
    assert.equal(ggufOf(gguf), '/m/big.gguf');
    const plain = { ...checkpoint, format: 'safetensors' } as Checkpoint;
    requireKnownToMergekit(plain);
    assert.equal(ggufOf(plain), undefined);
  });

  it("writes llama.cpp's command with quoted paths", () => {
    assert.equal(
      pruneLayersCommand([3, 7, 11], 'in.gguf', "it's out.gguf"),
      `llama-quantize --prune-layers 3,7,11 in.gguf 'it'\\''s out.gguf' COPY`,
    );
  });
});
