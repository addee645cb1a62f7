/** Which curves the card of drafts draws, and the words of their points. */
import assert from 'node:assert/strict';
import { draftOf } from '../../../src/jobs/digest/draft';
import { curvesOf, lengthText, pointWords, rangedText } from '../../../webview/panel/state/drafts';
import { draftResult } from '../../support/draft-results';

const digest = (c: number | null) => draftOf(JSON.parse(JSON.stringify(draftResult({}, c))))!;

describe('curves of drafts', () => {
  it('are speed-ups where a cost is known, with their best setting on them', () => {
    const { measure, curves } = curvesOf(digest(0.2));
    assert.equal(measure, 'speedup');
    assert.deepEqual(
      curves.map(({ index, points }) => [index, points.map(({ length }) => length)]),
      [
        [0, [1, 2, 4, 8]],
        [1, [1, 2, 4, 8]],
        [2, [1, 2, 4, 8]],
      ],
    );
    for (const { points, best } of curves) {
      assert.equal(best.value, Math.max(...points.map(({ value }) => value)));
      assert.deepEqual(
        points.filter((point) => point.best).map(({ length }) => length),
        [best.length],
      );
    }
  });

  it('are tokens of a pass where none is known', () => {
    const { measure, curves } = curvesOf(digest(null));
    assert.equal(measure, 'tokensPerRound');
    assert.deepEqual(
      curves[0].points.map(({ value }) => value),
      [1.86, 2.53, 3.61, 4.79],
    );
  });

  it('leave out a draft whose cost is not known among others, and a best setting with a threshold lies beside its curve', () => {
    const [first, second] = digest(0.2).drafts;
    const unknown = { ...second, speedup: null, byLength: second.byLength.map((each) => ({ ...each, speedup: null })) };
    const doubting = { ...first, threshold: 0.4, speedup: 2 };
    const { curves } = curvesOf({ drafts: [unknown, doubting] });
    assert.deepEqual(
      curves.map(({ index }) => index),
      [1],
    );
    const [{ points, best }] = curves;
    assert.ok(points.every((point) => !point.best));
    assert.equal(best.value, 2);
    assert.match(
      pointWords(best).join(', '),
      /^q4_0, at most 4 tokens at once, 2 times as fast.*only tokens that the draft finds 40 % likely/,
    );
    assert.equal(lengthText(doubting), '4, from 40 %');
  });

  it('are at most seven, the best one among them', () => {
    const [first] = digest(0.2).drafts;
    const drafts = Array.from({ length: 12 }, (_, i) => ({ ...first, name: `d${i}`, speedup: 1 + i / 100 }));
    const { curves } = curvesOf({ drafts, chosen: 'd0' });
    assert.deepEqual(
      curves.map(({ draft }) => draft.name),
      ['d0', 'd6', 'd7', 'd8', 'd9', 'd10', 'd11'],
    );
  });

  it('have words for ranges', () => {
    const [first, second] = digest(0.2).drafts;
    assert.match(rangedText(first), /^1\.\d+× \(1\.\d+–1\.\d+\)$/);
    assert.match(rangedText(second), /^1?\.?\d*\.?\d+×$/);
    assert.equal(rangedText({ ...first, speedup: null }), '–');
  });
});
