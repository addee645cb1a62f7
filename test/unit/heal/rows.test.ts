/** Which rows are fitted, held out and measured, and which modules are corrected. */
import assert from 'node:assert/strict';
import { groupRows } from '../../../src/engine/heal/rows';
import { sitesOf, stepsBetween } from '../../../src/engine/heal/sites';
import { viewWithout } from '../../../src/engine/model/view';
import { splitRows, spread } from '../../../src/engine/retrain/data/healing-rows';

const rowsOf = (count: number): number[][] => Array.from({ length: count }, (_, i) => [i, i]);
const first = (rows: readonly ArrayLike<number>[]): number[] => rows.map((row) => row[0]);

describe('rows of a healing', () => {
  it('are spread over all of a text', () => {
    assert.deepEqual(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5), [1, 3, 5, 7, 9]);
    assert.deepEqual(spread([1, 2], 5), [1, 2]);
    assert.deepEqual(spread([0, 1, 2], 1), [1]);
  });

  it('are held out in a share, or where there are more than asked for', () => {
    const tenth = splitRows(rowsOf(40), 0.1);
    assert.deepEqual(first(tenth.heldOut), [5, 15, 25, 35]);
    assert.equal(tenth.fit.length, 36);
    assert.equal(splitRows(rowsOf(40), 0.01).heldOut.length, 2, 'one would decide by chance');
    assert.equal(splitRows(rowsOf(7), 0.01).heldOut.length, 1, 'a quarter of a short text');
    assert.equal(splitRows(rowsOf(5), 0.01).heldOut.length, 1);
    assert.equal(splitRows(rowsOf(5), 0).heldOut.length, 0);
    assert.equal(splitRows(rowsOf(1), 0.5).heldOut.length, 0, 'a row is left to fit');
    assert.equal(splitRows(rowsOf(2), 0.9).heldOut.length, 1);
    assert.deepEqual([8, 3], [splitRows(rowsOf(11), 0.1, 8).fit.length, splitRows(rowsOf(11), 0.1, 8).heldOut.length]);
  });

  it('choose the ridge in every fifth, and are measured as many as are held out', () => {
    const groups = groupRows(rowsOf(10), [[90], [91]], true);
    assert.deepEqual(
      groups.map(({ rows, use, measure }) => [first(rows), use, measure]),
      [
        [[0, 5], 'fit', 'fit'],
        [[1, 2, 3, 6, 7, 8], 'fit', undefined],
        [[4, 9], 'choose', undefined],
        [[90, 91], 'none', 'heldOut'],
      ],
    );
    assert.deepEqual(
      groupRows(rowsOf(3), [], false).map(({ rows, measure }) => [first(rows), measure]),
      [[[0, 1, 2], 'fit']],
    );
  });
});

describe('sites of a healing', () => {
  const sites = (blocks: number, ...removed: (number | string)[]) => {
    const parts = removed.map((entry) => {
      const [block, part] = String(entry).split('.');
      return { block: Number(block), ...(part !== undefined && { part: part as 'attention' | 'ffn' }) };
    });
    return sitesOf(viewWithout(blocks, parts)).map(({ block, tensor, next, cut, removed: gone }) => {
      return `${block}.${tensor === 'o_proj' ? 'o' : 'd'}→${next}${cut ? ` without ${gone.join(',')}` : ''}`;
    });
  };

  it('begin with the FFN before the first removed block', () => {
    assert.deepEqual(sites(4, 2), ['1.d→6 without 2', '3.o→7', '3.d→8']);
    assert.deepEqual(sites(4, 1, 2), ['0.d→6 without 1,2', '3.o→7', '3.d→8']);
    assert.deepEqual(sites(3, 2), ['1.d→6 without 2']);
  });

  it('begin with the first kept block if nothing is kept before', () => {
    assert.deepEqual(sites(3, 0), ['1.o→3', '1.d→4', '2.o→5', '2.d→6']);
    assert.deepEqual(sites(2, '0.attention'), ['0.d→2', '1.o→3', '1.d→4']);
  });

  it('know single modules', () => {
    assert.deepEqual(sites(3, '1.ffn'), ['1.o→4 without 1.ffn', '2.o→5', '2.d→6']);
    assert.deepEqual(sites(3, '1.attention'), ['0.d→3 without 1.attention', '1.d→4', '2.o→5', '2.d→6']);
    assert.deepEqual(sites(3, 1, '2.attention'), ['0.d→5 without 1,2.attention', '2.d→6']);
  });

  it('are none where nothing is left out, and all where the weights differ', () => {
    assert.deepEqual(sites(3), []);
    assert.equal(sitesOf(viewWithout(2, []), true).length, 4);
  });

  it('join the two modules of a block into one step', () => {
    assert.deepEqual(stepsBetween(1, 5), [
      { block: 0, attention: false, ffn: true },
      { block: 1, attention: true, ffn: true },
      { block: 2, attention: true, ffn: false },
    ]);
    assert.deepEqual(stepsBetween(4, 4), []);
  });
});
