/** Which blocks are trained, and where a checkpoint's record says that they were. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../../src/engine/errors';
import { originOf } from '../../../src/engine/records/origin';
import { newRecord, recordText } from '../../../src/engine/records/record';
import { trainedBlocks } from '../../../src/engine/retrain/where';
import { temporaryFolder } from '../../support/temporary';

const without = (blocks: number, ...removed: number[]): number[] =>
  Array.from({ length: blocks }, (_, block) => block).filter((block) => !removed.includes(block));

describe('the blocks to train', () => {
  /** The numbers that the trained blocks had before the removal. */
  const at = (where: 'cuts' | 'last3' | 'all', blocks: number, ...removed: number[]): number[] => {
    const kept = without(blocks, ...removed);
    return trainedBlocks(where, kept, blocks).map((k) => kept[k]);
  };

  it('all, and the last three that are left', () => {
    assert.deepEqual(at('all', 6, 2), [0, 1, 3, 4, 5]);
    assert.deepEqual(at('last3', 8, 6), [4, 5, 7]);
    assert.deepEqual(at('last3', 4, 0, 2), [1, 3]);
  });

  it('at cuts: those right before and right after each', () => {
    assert.deepEqual(at('cuts', 30, 5, 12, 14, 16, 17, 18), [4, 6, 11, 13, 15, 19]);
    assert.deepEqual(at('cuts', 10, 4), [3, 5]);
    assert.deepEqual(at('cuts', 10, 4, 5, 6), [3, 7]);
  });

  it('at a cut at the start the first block, at the end the last', () => {
    assert.deepEqual(at('cuts', 8, 0), [1]);
    assert.deepEqual(at('cuts', 8, 7), [6]);
    assert.deepEqual(at('cuts', 8, 0, 1, 7), [2, 6]);
    assert.deepEqual(at('cuts', 8, 0, 1, 2, 4, 5, 6, 7), [3]);
  });

  it('are positions among the blocks that are left', () => {
    assert.deepEqual(trainedBlocks('cuts', without(10, 2, 6), 10), [1, 2, 4, 5]);
  });

  it('without a cut there is nothing at cuts', () => {
    assert.throws(() => trainedBlocks('cuts', without(5), 5), UserError);
    assert.deepEqual(trainedBlocks('all', without(5), 5), [0, 1, 2, 3, 4]);
  });
});

describe('the origin of a checkpoint', () => {
  /** A folder with the record of a run that had these results. */
  const folder = (results: object): string => {
    const path = temporaryFolder();
    const record = newRecord({ kind: 'prune', inputs: [], settings: {}, results, started: new Date(0) });
    writeFileSync(join(path, 'coppice.json'), recordText(record));
    return path;
  };
  const origin = (results: object, blocks: number) => originOf({ home: folder(results) }, blocks);

  it('is the numbers that its blocks had', async () => {
    assert.deepEqual(await origin({ removed: [1, 4] }, 3), { kept: [0, 2, 3], blocks: 5 });
    assert.deepEqual(await origin({ removed: [0] }, 2), { kept: [1, 2], blocks: 3 });
  });

  it('is unknown without a record, and with one that removed nothing or does not fit', async () => {
    assert.equal(await originOf({ home: temporaryFolder() }, 3), undefined);
    for (const removed of [undefined, [], ['12.ffn'], [-1], [1.5], [7], [1, 1], 'all']) {
      assert.equal(await origin({ removed }, 3), undefined, JSON.stringify(removed));
    }
  });
});
