/** The tests' own tools: 16-bit floats and the toy checkpoints' files. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../support/half';
import { normal } from '../support/random';
import { readCheckpointTensors, type TestTensor } from '../support/safetensors';
import { TINY_MODELS, tinyCheckpoint } from '../support/tiny-models';

describe('16-bit floats of the tests', () => {
  for (const [name, to, from, mantissaBits] of [
    ['float16', toFloat16, fromFloat16, 10],
    ['bfloat16', toBfloat16, fromBfloat16, 7],
  ] as const) {
    it(`${name}: every value survives, and half-way cases go to the even neighbour`, () => {
      for (let bits = 0; bits < 65536; bits++) {
        const value = from(bits);
        if (!Number.isNaN(value)) assert.equal(to(value), bits);
      }
      const ulp = 2 ** -mantissaBits;
      assert.equal(from(to(1 + ulp / 2)), 1);
      assert.equal(from(to(1 + 1.5 * ulp)), 1 + 2 * ulp);
      assert.equal(from(to(1 + 0.51 * ulp)), 1 + ulp);
      assert.equal(from(to(2 - ulp / 4)), 2);
    });
  }
});

describe('toy checkpoints', function () {
  this.timeout('1m'); // they are many numbers
  it('are the same for the same seed, in one file or in several', () => {
    const hash = ({ values }: TestTensor): string =>
      createHash('sha256').update(Buffer.from(values.buffer)).digest('hex');
    const values = (folder: string): Map<string, string> =>
      new Map([...readCheckpointTensors(folder)].map(([name, tensor]) => [name, hash(tensor)]));
    for (const name of TINY_MODELS) {
      const one = values(tinyCheckpoint(name, { shards: 1 }));
      assert.deepEqual(values(tinyCheckpoint(name, { shards: 4 })), one, name);
      assert.notDeepEqual(values(tinyCheckpoint(name, { shards: 1, seed: 2 })), one, name);
    }
  });

  it('have an index only when sharded', () => {
    const hasIndex = (shards: number): boolean =>
      existsSync(join(tinyCheckpoint('llama-plain', { shards }), 'model.safetensors.index.json'));
    assert.deepEqual([hasIndex(1), hasIndex(2)], [false, true]);
  });

  it('are normal where they should be', () => {
    const next = normal(3);
    const sample = Array.from({ length: 20000 }, next);
    const mean = sample.reduce((a, b) => a + b) / sample.length;
    const variance = sample.reduce((a, b) => a + (b - mean) ** 2, 0) / sample.length;
    assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05, `mean ${mean}, variance ${variance}`);
  });
});
