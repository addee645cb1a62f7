/** What counts in probes: answers by likelihood and by text, what a model that guesses scores, and what a further model has lost. */
import assert from 'node:assert/strict';
import { isAble } from '../../../../src/engine/evaluate/probes/able';
import {
  probeDifference,
  type ProbeDifference,
  probeScore,
  type ProbeScore,
  worstLoss,
} from '../../../../src/engine/evaluate/probes/score';
import { judgedText } from '../../../../src/engine/evaluate/tasks/correct';
import type { WrittenItem } from '../../../../src/engine/evaluate/tasks/item';
import type { ItemResult } from '../../../../src/engine/evaluate/tasks/results';
import { assertClose } from '../../../support/close';

const EXACT = { absolute: 1e-12 };
const probe = (chance = 0) => ({ name: 'copy' as const, chance, sha256: 'beef' });

/** A question with one choice, which the model would write or not. */
const lone = (item: number, greedy: boolean): ItemResult => ({
  item,
  gold: 0,
  choices: [{ loglik: -0.1, tokens: 3, characters: 9, greedy }],
});
const text = (item: number, fresh: number): ItemResult => ({ item, text: 'a', correct: fresh > 0.5, fresh });
const scored = (results: readonly ItemResult[], chance = 0): ProbeScore =>
  probeScore(probe(chance), 'probe copy', results);
const rights = (of: readonly boolean[]): ProbeScore => scored(of.map((is, i) => lone(i, is)));
const many = (right: number, of: number): ProbeScore => rights(Array.from({ length: of }, (_, i) => i < right));

describe('scores of probes', () => {
  it('count a lone choice that the model would write, however likely it is', () => {
    const { items, score, stderr } = rights([true, false, false, true]);
    assert.deepEqual([items, score], [4, 0.5]);
    assertClose(stderr!, Math.sqrt((0.5 * 0.5) / 3), EXACT, 'standard error');
  });

  it('are the mean share of what is new in texts, with the error of shares', () => {
    const shares = [0.25, 0.75, 0.5, 0.9];
    const { score, stderr } = scored(shares.map((share, i) => text(i, share)));
    const mean = shares.reduce((sum, share) => sum + share, 0) / 4;
    const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 3;
    assertClose(score, mean, EXACT, 'mean');
    assertClose(stderr!, Math.sqrt(variance / 4), EXACT, 'standard error');
  });

  it('show an ability above chance, or above a lucky answer, by more than the error', () => {
    assert.deepEqual(
      [many(0, 32).able, many(2, 32).able, many(16, 32).able, many(32, 32).able],
      [false, false, true, true],
    );
    const chance = 0.25;
    assert.equal(isAble({ score: 0.35, stderr: 0.08, chance }), false);
    assert.equal(isAble({ score: 0.5, stderr: 0.08, chance }), true);
    assert.equal(isAble({ score: 1, stderr: null, chance }), false);
  });

  it('differ in pairs: what is lost, with the interval of the questions’ differences', () => {
    const [before, after] = [
      [1, 0.5, 0.75, 0.25],
      [0.5, 0.5, 0.25, 0.5],
    ];
    const apart = after.map((share, i) => share - before[i]);
    const mean = apart.reduce((sum, each) => sum + each, 0) / 4;
    const deviation = Math.sqrt(apart.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 3);
    const [first, other] = [before, after].map((shares) => scored(shares.map((share, i) => text(i, share))));
    const found = probeDifference('probe repeat', first, other);
    assertClose(found.difference, mean, EXACT, 'difference');
    assertClose(found.interval!, (1.959963984540054 * deviation) / 2, EXACT, 'interval');
    assert.deepEqual([found.lost, found.gained], [2, 1]);
    assertClose(found.loss!, -mean, EXACT, 'loss');
  });

  it('lose nothing of what the original cannot do, and nothing where they gain', () => {
    const unable = probeDifference('probe copy', many(1, 32), many(0, 32));
    assert.deepEqual([unable.able, unable.loss, unable.difference], [false, null, -1 / 32]);
    const gained = probeDifference('probe copy', many(20, 32), many(25, 32));
    assert.deepEqual([gained.able, gained.loss, gained.gained], [true, 0, 5]);
    const lost: ProbeDifference = probeDifference('probe copy', many(20, 32), many(4, 32));
    assert.equal(worstLoss({ copy: lost, sums: unable, json: gained }), 0.5);
    assert.equal(worstLoss({ sums: unable }), null);
  });

  it('need the same questions', () => {
    assert.throws(() => probeDifference('probe copy', many(3, 8), many(3, 9)), /did not answer the same items/);
  });
});

describe('texts of probes', () => {
  const written = (match: 'ends' | 'new'): WrittenItem => ({
    ...{ item: 0, prompt: 'p', expected: [], match, maxTokens: 8 },
    ...(match === 'ends' && { until: ['\n'] }),
  });
  const judged = (match: 'ends' | 'new', of: string, ids: readonly number[], ended = false) =>
    judgedText(written(match), { text: of, ids, ended }, 'file');

  it('end with their line or with a token for it, and have said something', () => {
    assert.deepEqual(judged('ends', ' A thing.\nNext', [1]), { correct: true });
    assert.deepEqual(judged('ends', ' A thing.', [1], true), { correct: true });
    assert.deepEqual(judged('ends', ' A thing and a thing and a', [1]), { correct: false });
    assert.deepEqual(judged('ends', '', [], true), { correct: false });
    assert.deepEqual(judged('ends', '\n\n', [1, 1]), { correct: false });
  });

  it('are new in the share of their runs of four tokens', () => {
    assert.deepEqual(judged('new', 'a', [1, 2, 3, 4, 5, 6, 7]), { correct: true, fresh: 1 });
    assert.deepEqual(judged('new', 'a', [1, 1, 1, 1, 1, 1, 1]), { correct: false, fresh: 0.25 });
    assert.deepEqual(judged('new', '', [1, 2]), { correct: false, fresh: 0 });
  });
});
