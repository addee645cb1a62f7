/** Sizes against perplexity in a record, as display data, and beside the original's results. */
import assert from 'node:assert/strict';
import { sizesCard, sizesMarkdown, sizesOf } from '../../../src/engine/records/before-after/sizes';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { frontierOf } from '../../../src/jobs/digest/frontier';

const point = (type: string, count: number, bytes: number, ppl: number | string, more: object = {}): object => ({
  ...{ type, count, removed: Array.from({ length: count }, (_, i) => i), healed: count > 0, bytes, ppl, meanNll: 1 },
  ...{ parameters: 1000 - count, frontier: false, ...more },
});

const RESULTS = {
  criterion: 'ppl',
  original: { bytes: 9_000_000, ppl: 10 },
  points: [
    point('q8_0', 0, 5_000_000, 10.1, { frontier: true, fits: false }),
    point('q4_0', 0, 3_000_000, 12, { frontier: true, fits: true }),
    point('q8_0', 2, 4_000_000, 14, { fits: true, behind: { difference: 0.154, interval: null } }),
    point('q4_0', 2, 2_500_000, 'Infinity', { fits: true, behind: { difference: 'Infinity', interval: 0.1 } }),
  ],
  fit: { bytes: 4_500_000, point: 1, isClear: false, commands: ['coppice export <m> --type q4_0 --out m|q4_0.gguf'] },
  text: { name: 'wiki.txt', sha256: 'x', rows: 64, length: 128 },
  calibrated: true,
};

describe('sizes against perplexity in a record', () => {
  it('are nothing without points, and where a point is not whole, because places would be others', () => {
    for (const results of [{}, { points: 'none' }, { points: [] }, { points: [...RESULTS.points, { type: 'q4_0' }] }])
      assert.equal(frontierOf(results), undefined);
  });

  it('are kept as they were measured; a place that no point has is none', () => {
    const digest = frontierOf(RESULTS)!;
    assert.deepEqual([digest.text, digest.rows, digest.calibrated, digest.criterion], ['wiki.txt', 64, true, 'ppl']);
    assert.deepEqual(digest.original, RESULTS.original);
    assert.deepEqual(
      [digest.points[3].ppl, digest.points[2].behind],
      ['Infinity', { difference: 0.154, interval: null }],
    );
    assert.equal(digest.fit!.point, 1);
    assert.equal(frontierOf({ ...RESULTS, fit: { bytes: 1, point: 4 } })!.fit!.point, null);
    assert.equal(frontierOf({ ...RESULTS, fit: undefined })!.fit, null);
  });

  it('stand beside the results of their own original: the newest run', () => {
    const run = (identity: string, started: string, text: string): RunDigest =>
      ({
        model: { name: 'm', identity },
        started,
        frontier: { ...frontierOf(RESULTS)!, text },
      }) as unknown as RunDigest;
    const runs = [run('a', '2026-01-01', 'old'), run('a', '2026-02-01', 'new'), run('b', '2026-03-01', 'other')];
    assert.equal(sizesOf(runs, 'a')!.text, 'new');
    assert.equal(sizesOf(runs, 'c'), undefined);
    assert.equal(sizesOf(runs, undefined), undefined);
  });

  it('are written for a page and a card, with foreign text as text', () => {
    const digest = frontierOf(RESULTS)!;
    const html = sizesCard({ ...digest, text: '<b>wiki' });
    assert.match(html, /rows of &#60;b&#62;wiki/);
    assert.equal(html.match(/<circle/g)!.length, 3, 'what is not finite has no place');
    assert.match(
      html,
      /q4_0, original<\/th><td>3\.0 MB<\/td><td>12<\/td><td>the best that fits, no smaller file is better/,
    );
    assert.doesNotMatch(html, /q8_0 without/);
    const text = sizesMarkdown(digest, 3).join('\n');
    assert.match(text, /^### Blocks or bits\n/);
    assert.match(text, /\| q8\\?_0, original \| 5\.0 MB \| 10\.1 \| no smaller file is better \|/);
    assert.match(text, /chose the blocks or healed/);
    assert.match(text, /- `coppice export <m> --type q4_0 --out m\|q4_0\.gguf`/);
    assert.deepEqual([sizesCard(undefined), sizesMarkdown(undefined, 2)], ['', []]);
  });
});
