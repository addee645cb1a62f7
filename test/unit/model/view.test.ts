/** Views: what is left out, in words and as steps. */
import assert from 'node:assert/strict';
import { UserError } from '../../../src/engine/errors';
import {
  fullView,
  parseRemoved,
  removedParts,
  stepsOf,
  viewWithout,
  type RemovedPart,
} from '../../../src/engine/model/view';

describe('transformer/view', () => {
  it('keeps everything, or all but some parts', () => {
    assert.deepEqual(fullView(2), { attention: [true, true], ffn: [true, true] });
    assert.deepEqual(viewWithout(3, [{ block: 0 }, { block: 2, part: 'ffn' }]), {
      attention: [false, true, true],
      ffn: [false, true, false],
    });
  });

  it('goes through what is kept, by block or by module', () => {
    const view = viewWithout(3, [{ block: 0 }, { block: 2, part: 'attention' }]);
    assert.deepEqual(stepsOf(view), [
      { block: 1, attention: true, ffn: true },
      { block: 2, attention: false, ffn: true },
    ]);
    assert.deepEqual(stepsOf(view, true), [
      { block: 1, attention: true, ffn: false },
      { block: 1, attention: false, ffn: true },
      { block: 2, attention: false, ffn: true },
    ]);
  });

  it('reads blocks, ranges and modules, in any order and more than once', () => {
    const read = (text: string): RemovedPart[] => parseRemoved(text, 30);
    assert.deepEqual(read('10,12.ffn,3-5'), [
      { block: 3 },
      { block: 4 },
      { block: 5 },
      { block: 10 },
      { block: 12, part: 'ffn' },
    ]);
    assert.deepEqual(read(' 7 , 7.attention, 7 '), [{ block: 7 }]);
    assert.deepEqual(read('2.attention,2.ffn'), [{ block: 2 }]); // both modules are the block
    assert.deepEqual(read('0-1.attention'), [
      { block: 0, part: 'attention' },
      { block: 1, part: 'attention' },
    ]);
    assert.deepEqual(read('29-29'), [{ block: 29 }]);
  });

  it('gives back the parts that a view leaves out', () => {
    for (const text of ['', '3,4,10,12.ffn', '0,1.attention,2.ffn']) {
      const parts = text === '' ? [] : parseRemoved(text, 13);
      assert.deepEqual(removedParts(viewWithout(13, parts)), parts);
    }
  });

  it('refuses the rest, naming it', () => {
    for (const [text, words] of [
      ['', /"" is not a block/],
      ['1,', /"" is not a block/],
      ['x', /"x" is not a block/],
      ['-1', /"-1" is not a block/],
      ['1.5', /"1.5" is not a block/],
      ['1.mlp', /"1.mlp" is not a block/],
      ['5-3', /"5-3" ends before it starts/],
      ['12', /"12" is beyond the last block, 11/],
      ['3-12.ffn', /beyond the last block/],
      ['99999999999999999999', /is not a block/],
    ] as const) {
      assert.throws(
        () => parseRemoved(text, 12),
        (error) => error instanceof UserError && words.test(error.message),
        text,
      );
    }
  });
});
