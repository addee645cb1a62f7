/** A forecast of drafts in records: what card, comparison and report read of it. */
import assert from 'node:assert/strict';
import { compareRuns, resultsOf, runTitle } from '../../../src/engine/records/compare';
import type { RunDigest } from '../../../src/engine/records/digest-types';
import { newRecord } from '../../../src/engine/records/record';
import { reportHtml } from '../../../src/engine/records/report';
import { digestRecord } from '../../../src/jobs/digest/digest';
import { draftOf } from '../../../src/jobs/digest/draft';
import type { DraftResult } from '../../../src/jobs/results/draft';
import { draftResult, REFUSED } from '../../support/draft-results';

const report = (changes: Partial<DraftResult> = {}, c: number | null = 0.2): RunDigest =>
  digestRecord(
    newRecord({
      kind: 'draft',
      inputs: [{ role: 'model', name: 'stories', identity: 'id-whole' }],
      settings: { for: 'genai' },
      results: JSON.parse(JSON.stringify(draftResult(changes, c))) as object,
      device: { provider: 'cpu' },
      started: new Date('2026-12-01T12:00:00Z'),
    }),
  );

describe('a forecast of drafts in a record', () => {
  it('is read with its drafts, the best one, and names of files without their folders', () => {
    const { draft } = report({ out: '/home/me/pair', verdict: 'written', candidates: draftResult().candidates });
    assert.deepEqual(
      draft!.drafts.map(({ name, trivial, healed, byLength }) => [name, trivial, healed, byLength.length]),
      [
        ['q4_0', true, false, 4],
        ['without 2, q4_0', false, false, 4],
        ['without 1 and 3', false, true, 4],
      ],
    );
    assert.equal(draft!.chosen, 'q4_0');
    assert.equal(draft!.written, 'pair');
    assert.ok(!JSON.stringify(draft).includes('/home/me'));
    assert.equal(draft!.heldOutSpeedup, draft!.drafts[0].speedup);
    assert.deepEqual(draft!.costs!.rows, [1, 2, 4, 8, 16]);
  });

  it('has the best draft once more where it was measured under another name', () => {
    const [first] = draftResult().candidates;
    const { draft } = report({ chosen: { ...first, name: 'q4_0, again', speedupHeldOut: null } });
    assert.deepEqual(draft!.drafts.map(({ name }) => name).slice(-1), ['q4_0, again']);
    assert.ok(!('heldOutSpeedup' in draft!));
  });

  it('is nothing without its program or its verdict, and leaves out drafts without numbers', () => {
    const good = JSON.parse(JSON.stringify(draftResult())) as Record<string, unknown>;
    for (const broken of [{}, 'text', { ...good, runtime: {} }, { ...good, runtime: null }, { ...good, verdict: 3 }])
      assert.equal(draftOf(broken), undefined);
    const odd = draftOf({ ...good, candidates: [{ name: 'x' }, good.chosen], costs: { rows: [1, 2], v: [1] } });
    assert.deepEqual(
      odd!.drafts.map(({ name }) => name),
      ['q4_0'],
    );
    assert.equal(odd!.costs, undefined, 'a time for each number of rows, or none');
  });

  it('knows no speed without costs', () => {
    const { draft } = report({}, null);
    assert.deepEqual(draft!.drafts.map(({ speedup, c }) => [speedup, c]).flat(), Array(6).fill(null));
    assert.equal(draft!.costs, undefined);
  });

  it('has a title, facts in words for comparisons, and a row for each draft in a report', () => {
    const digest = report({
      verified: { by: 'onnxruntime-genai 0.18.0', texts: 4, textsEqual: 4, rounds: 60, forecastRounds: 60 },
    });
    assert.equal(runTitle(digest), 'draft · genai');
    assert.equal(runTitle(report({ out: '/m/pair' })), 'draft · pair');
    const facts = new Map(resultsOf(digest));
    assert.match(facts.get('verdict on drafts')!, /× as fast, same text/);
    assert.match(
      facts.get('with the draft q4_0')!,
      /^1\.\d+ times as fast \([\d.]+–[\d.]+\), 3\.61 tokens a pass, agrees on 85 %, at most 4 tokens at once$/,
    );
    assert.equal(facts.get('texts of the pair that are the model’s own'), '4 of 4, in 60 passes of the model');
    assert.equal(new Map(resultsOf(report(REFUSED))).get('verdict on drafts'), REFUSED.why);
    const other = report({}, null);
    assert.ok(compareRuns([digest, other]).rows.some(({ name, differs }) => name === 'with the draft q4_0' && differs));
    const html = reportHtml([digest], { script: '', style: '' });
    assert.match(
      html,
      /<th scope="row">with the draft without 2, q4_0<\/th><td>[^<]*2\.17 tokens a pass|1\.9 tokens a pass/,
    );
  });
});
