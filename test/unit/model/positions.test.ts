/** Where positions enter: the rotation's tables against the reference's own reading of the config, and the causal mask. */
import assert from 'node:assert/strict';
import type { Rope } from '../../../src/engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../../src/engine/checkpoint/open';
import { floats } from '../../../src/engine/onnx/session';
import { causalMask } from '../../../src/engine/model/positions';
import { rotaryFrequencies } from '../../../src/engine/checkpoint/frequencies';
import { plainShape } from '../../../src/engine/checkpoint/kinds/plain';
import { rotaryTable } from '../../../src/engine/model/rotary';
import { readReferenceConfig } from '../../reference/config';
import type { ReferenceRotation } from '../../reference/rope';
import { assertAllClose, assertClose } from '../../support/close';
import { TINY_MODELS, tinyCheckpoint } from '../../support/tiny-models';

describe('transformer/rotary', () => {
  for (const name of TINY_MODELS) {
    it(`${name}: frequencies and tables`, async () => {
      const folder = tinyCheckpoint(name);
      const { layers } = requireArchitecture(await openCheckpoint(folder));
      for (const [block, { rotation, headDim }] of readReferenceConfig(folder).layers.entries()) {
        const { rope } = plainShape(layers[block]);
        assert.equal(rope !== null, rotation !== undefined);
        if (!rope || !rotation) continue;
        for (const length of [12, 100]) checkRotation(rope, headDim, rotation(length), length);
      }
    });
  }

  it('llama3 scaling: fast pairs stay, slow ones are stretched, and those between lie between', () => {
    const scaling = { kind: 'llama3', factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContext: 8192 } as const;
    const at = (s: typeof scaling | { kind: 'default' }): Float64Array =>
      rotaryFrequencies({ theta: 500000, scaling: s }, 128);
    const plain = at({ kind: 'default' });
    const scaled = at(scaling);
    const kinds = new Set<string>();
    plain.forEach((frequency, j) => {
      const turns = (8192 * frequency) / (2 * Math.PI);
      const kind = turns >= 4 ? 'kept' : turns <= 1 ? 'stretched' : 'between';
      kinds.add(kind);
      if (kind === 'kept') assert.equal(scaled[j], frequency);
      else if (kind === 'stretched') assert.equal(scaled[j], frequency / 8);
      else assert.ok(scaled[j] > frequency / 8 && scaled[j] < frequency);
    });
    assert.equal(kinds.size, 3);
  });
});

/** Frequencies and tables for sequences of one length. */
function checkRotation(
  rope: Rope,
  headDim: number,
  { frequencies, magnitude }: ReferenceRotation,
  length: number,
): void {
  assertAllClose(rotaryFrequencies(rope, headDim, length), frequencies, { relative: 1e-12 }, 'frequencies');
  const { cos, sin } = rotaryTable(rope, headDim, length);
  const pairs = frequencies.length;
  assert.deepEqual([cos.length, sin.length], [length * pairs, length * pairs]);
  for (const position of [0, 1, 7, length - 1]) {
    frequencies.forEach((frequency, j) => {
      const [c, s] = [cos[position * pairs + j], sin[position * pairs + j]];
      assertClose(c, magnitude * Math.cos(position * frequency), { absolute: 1e-7 }, `cos ${position} ${j}`);
      assertClose(s, magnitude * Math.sin(position * frequency), { absolute: 1e-7 }, `sin ${position} ${j}`);
    });
  }
}

describe('transformer/positions causalMask', () => {
  const seen = (length: number, window: number | null): string[] => {
    const mask = causalMask(length, window);
    assert.deepEqual([...mask.dims], [length, length]);
    return Array.from({ length }, (_, i) =>
      [...floats(mask).subarray(i * length, (i + 1) * length)].map((m) => (m === 0 ? 'x' : '.')).join(''),
    );
  };

  it('shows a position itself and all before it', () => {
    assert.deepEqual(seen(3, null), ['x..', 'xx.', 'xxx']);
  });

  it('or as many as the window holds, itself counted', () => {
    assert.deepEqual(seen(4, 2), ['x...', 'xx..', '.xx.', '..xx']);
    assert.deepEqual(seen(3, 1), ['x..', '.x.', '..x']);
    assert.deepEqual(seen(3, 3), seen(3, null));
  });
});
