/** What runs have measured of a model beside its original: on which rows, and whether these chose it. */
import assert from 'node:assert/strict';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { newRecord } from '../../../src/engine/records/record';
import type { RunDigest } from '../../../src/protocol/panel';
import { textsThatChose } from '../../../src/state/journey-facts';
import { judgementIn, ratioIn } from '../../../src/state/measured';

const [CHOSE, OTHER] = ['ab', 'cd'].map((pair) => pair.repeat(32));

/** An evaluation of a model on a text. */
function evaluated(identity: string, sha256: string, ppl: number, results: object = {}): RunDigest {
  const inputs = [
    { role: 'model', name: identity, identity },
    { role: 'text', name: 'text.txt', sha256 },
  ];
  const settings = { window: 128, bos: 'none' };
  const told = { ppl, tokens: 508, windows: 4, ...results };
  return digestRecord(newRecord({ kind: 'eval', inputs, settings, results: told, started: new Date(0) }));
}

const compared = { kl: 0.1, top1: 0.8, against: { model: 'A', identity: 'A' } };
const repetition = { texts: 8, mean: 0.3, unpruned: 0.25 };
const short = { identity: 'B', removed: [] };

describe('a model beside its original', () => {
  it('is judged on rows that chose nothing, also by older runs, with what its texts and its tokens tell', () => {
    const runs = [
      ...[evaluated('B', CHOSE, 20.8), evaluated('A', CHOSE, 20)],
      ...[evaluated('B', OTHER, 24, { ...compared, repetition }), evaluated('A', OTHER, 20)],
    ];
    const used = [{ sha256: CHOSE }];
    const found = { ratio: 1.2, same: 0.8, repetition: { own: 0.3, original: 0.25 } };
    assert.deepEqual(judgementIn(runs, short, 'A', used), found);
    assert.deepEqual(judgementIn(runs.slice(0, 2), short, 'A', used), { ratio: 1.04, flatters: true });
    assert.deepEqual(judgementIn(runs, short, 'A', []), { ratio: 1.04 });
    assert.deepEqual(judgementIn(runs, { ...short, identity: 'C' }, 'A', used), {});
  });

  it('is judged by bits per byte where its vocabulary is another one, as a perplexity of the original’s tokens', () => {
    const [own, whole] = [{ vocabulary: 100 }, { vocabulary: 400 }];
    const runs = [
      ...[
        evaluated('B', CHOSE, 9, { ...own, bitsPerByte: 0.9 }),
        evaluated('A', CHOSE, 16, { ...whole, bitsPerByte: 1 }),
      ],
      // More windows of the same text: a smaller vocabulary makes more tokens of it.
      evaluated('B', OTHER, 12, { ...own, bitsPerByte: 1.5, windows: 6, repetition }),
      evaluated('A', OTHER, 16, { ...whole, bitsPerByte: 1.2 }),
    ];
    const judged = judgementIn(runs, short, 'A', [{ sha256: CHOSE }]);
    assert.deepEqual(judged, { ratio: 2, byBits: true, repetition: { own: 0.3, original: 0.25 } });
    assert.equal(ratioIn(runs.slice(2), short, 'A'), 2, '16 to the power of a quarter');
    const counted = judgementIn(runs.slice(0, 2), short, 'A', [{ sha256: CHOSE }]);
    assert.deepEqual([counted.flatters, counted.ratio! < 1], [true, true], 'tokens were chosen by this text');
    assert.deepEqual(judgementIn([runs[2], runs[1]], short, 'A', []), {}, 'not on one text');
  });

  it('has texts that chose it: those of its record, of its plan, and of any scoring in its line', () => {
    const scored = digestRecord(
      newRecord({
        ...{ kind: 'score', settings: {}, results: {}, started: new Date(0) },
        inputs: [
          { role: 'model', name: 'A', identity: 'A' },
          { role: 'calibration', name: 'text.txt', sha256: OTHER, share: 'choose' },
        ],
      }),
    );
    const plan = { criterion: 'ppl', goal: { kind: 'count', count: 1 }, blocks: [1] } as const;
    const choice = { ...plan, calibration: { name: 'text.txt', sha256: CHOSE } };
    const used = textsThatChose([scored], { origin: undefined, choice, line: ['A'] });
    assert.deepEqual(used, [{ sha256: CHOSE }, { sha256: OTHER, share: 'choose' }]);
    assert.deepEqual(textsThatChose([scored], { origin: undefined, choice: 'hand', line: ['B'] }), []);
  });
});
