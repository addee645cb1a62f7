/** Everything that computes runs over any source: here one that has no file, with every weight written into the graphs. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { weightKeys } from '../../../src/engine/checkpoint/weight-key';
import { openModel, openModelOver } from '../../../src/engine/model/model';
import { Overlay } from '../../../src/engine/weights/overlay';
import type { KeyedPatch } from '../../../src/engine/weights/patches';
import { checkpointWeights } from '../../../src/engine/weights/checkpoint';
import type { WeightSource } from '../../../src/engine/weights/source';
import { numbersOf } from '../../support/model-numbers';
import { randomRows } from '../../support/random';
import { tinyCheckpoint, type TinyName } from '../../support/tiny-models';

const rows = randomRows(3, 20, 288, 41);

/** The same model with every weight replaced by its own numbers: no tensor of it may be copied, none is in a file. */
async function inGraphs(source: WeightSource): Promise<Overlay> {
  const patches: KeyedPatch[] = [];
  for (const key of weightKeys(source.architecture)) {
    patches.push([key, { kind: 'replace', values: await source.read(key) }]);
  }
  return new Overlay(source, patches);
}

describe('a source without files', () => {
  for (const name of ['llama-plain', 'llama-gqa-tied', 'qwen3-qknorm'] satisfies TinyName[]) {
    it(`${name}: the same bits in scores, decoding and training`, async () => {
      const checkpoint = await openCheckpoint(tinyCheckpoint(name));
      const stored = await openModel(checkpoint, { device: 'cpu' });
      const weights = await inGraphs(checkpointWeights(checkpoint));
      const computed = await openModelOver(weights, checkpoint, { device: 'cpu' });
      try {
        for (const key of weightKeys(weights.architecture)) assert.equal(weights.stored(key), undefined);
        assert.deepEqual(await numbersOf(computed, rows), await numbersOf(stored, rows));
      } finally {
        await stored.close();
        await computed.close();
      }
    });
  }
});
