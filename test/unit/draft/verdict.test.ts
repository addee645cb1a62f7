/** When a draft pays, and which number is to blame where none does. */
import assert from 'node:assert/strict';
import type { PassCosts } from '../../../src/engine/draft/costs';
import { LENGTHS } from '../../../src/engine/draft/forecast';
import { judge, judgePerfect } from '../../../src/engine/draft/verdict';

const exactly = (value: number) => ({ value, low: value, high: value });
const costsOf = (v: readonly number[], c: number): PassCosts => ({
  rows: [1, 2, 4, 8, 16],
  v: v.map(exactly),
  c: [exactly(c)],
  runs: 0,
});

describe('draft/verdict', () => {
  it('blames the rows of quantized weights on a CPU: even a perfect draft would give 1.0', () => {
    const { verdict, speedup } = judgePerfect(costsOf([1, 1.5, 1.9, 2.2, 2.9], 0.87), 0.21, LENGTHS);
    assert.deepEqual([verdict!.pays, verdict!.blame, speedup.toFixed(1)], [false, 'rows', '1.0']);
    assert.match(verdict!.why, /two rows cost this model 1\.5 × one, and a pass of the draft 0\.87 ×/);
  });

  it('blames the cost of a draft: a head that is most of a pass, or rows that are nearly free', () => {
    const head = judgePerfect(costsOf([1, 1.1, 1.2, 1.9, 3.1], 0.7), 0.63, LENGTHS);
    assert.equal(head.verdict!.blame, 'draftCost');
    assert.match(head.verdict!.why, /the head alone is 63 % of what a pass reads/);
    assert.equal(judgePerfect(costsOf([1, 1, 1, 1, 1], 0.95), 0.2, LENGTHS).verdict!.blame, 'draftCost');
  });

  it('blames the rows where two cost more than two passes, however large the head is', () => {
    const { verdict } = judgePerfect(costsOf([1, 2.5, 3.9, 5.3, 9.7], 0.34), 0.63, LENGTHS);
    assert.equal(verdict!.blame, 'rows');
    assert.doesNotMatch(verdict!.why, /head/);
  });

  it('says nothing where a perfect draft would gain', () => {
    const { verdict, speedup, length } = judgePerfect(costsOf([1, 1.1, 1.2, 1.9, 3.1], 0.25), 0.2, LENGTHS);
    assert.equal(verdict, undefined);
    assert.ok(speedup > 1.8 && length >= 3);
  });

  const perfect = { length: 4, speedup: 2 };
  const draft = { name: 'without 2', trivial: false, bytes: 1e6, agree: 0.6, tokensPerRound: 2, speedup: 1.3 };
  const bar = { ...draft, name: 'q4_0', trivial: true };

  it('blames agreement below a tenth of gain, and where the model itself in fewer bits gains as much', () => {
    const weak = judge({ ...draft, speedup: 1.09 }, undefined, perfect);
    assert.deepEqual([weak.pays, weak.blame], [false, 'agreement']);
    assert.match(weak.why, /60 % would be taken, which gives 1\.09 ×/);
    const same = judge(draft, { ...bar, speedup: 1.28 }, perfect);
    assert.deepEqual([same.pays, same.blame], [false, 'agreement']);
    assert.match(same.why, /the model itself in q4_0 gives 1\.28 ×/);
  });

  it('lets a draft pay from a tenth on, 3 % above the bar', () => {
    assert.equal(judge({ ...draft, speedup: 1.1 }, undefined, perfect).pays, true);
    const better = judge(draft, { ...bar, speedup: 1.26 }, perfect);
    assert.deepEqual([better.pays, better.blame], [true, null]);
    assert.match(better.why, /1\.3 × as fast, with the same text: 2 tokens a pass/);
    assert.equal(judge(bar, undefined, perfect).pays, true);
  });
});
