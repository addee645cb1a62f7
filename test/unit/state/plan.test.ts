/** The plan, what it amounts to, and what suggestions are made of: everything of the views that needs no editor. */
import assert from 'node:assert/strict';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import type { Memento } from '../../../src/state/memento';
import { tick, toggle } from '../../../src/views/boxes';
import { HiddenPaths } from '../../../src/state/hidden';
import { Plans } from '../../../src/state/plan';
import { planEffect } from '../../../src/jobs/plan-effect';
import { planWarning } from '../../../src/state/plan-warning';
import { nameInModule, tensorsByPlace } from '../../../src/state/model-tensors';
import { protectionOf, requireProtection } from '../../../src/state/protection';
import { scoreSentence, scoreWords, scoringSentence } from '../../../src/state/words/score-words';
import { importances, rankingOf, ScoreStore } from '../../../src/state/scores';
import { shortCount, shortNumber } from '../../../src/format/numbers';
import { shortScore } from '../../../src/state/words/short-score';
import { groupFiles } from '../../../src/state/group-files';
import type { ScoreResult } from '../../../src/jobs/results/score';
import { tinyCheckpoint } from '../../support/tiny-models';

class Store implements Memento {
  readonly values = new Map<string, unknown>();
  get(key: string): unknown {
    return this.values.get(key);
  }
  update(key: string, value: unknown): Promise<void> {
    this.values.set(key, JSON.parse(JSON.stringify(value)));
    return Promise.resolve();
  }
}

const subject = { path: '/models/one', identity: 'abc', blocks: 6 };

describe('a plan', () => {
  it('starts empty, is changed block by block, and tells whose it is', () => {
    const plans = new Plans(new Store());
    const told: string[] = [];
    plans.onChange((path) => told.push(path));
    plans.change(subject, [
      [4, false],
      [1, false],
    ]);
    plans.change(subject, [[4, true]]);
    plans.change(subject, [[4, true]]); // nothing new
    assert.deepEqual(plans.removed(subject), [1]);
    assert.deepEqual(told, [subject.path, subject.path]);
  });

  it('leaves at least one block, and takes no block that there is not', () => {
    const plans = new Plans(new Store());
    plans.set(subject, [0, 1, 2, 3, 4, 5, 6, -1, 2.5]);
    assert.deepEqual(plans.removed(subject), [0, 1, 2, 3, 4]);
  });

  it('outlives the window, but not a change of the checkpoint', () => {
    const store = new Store();
    new Plans(store).set(subject, [2, 3]);
    const later = new Plans(store);
    assert.deepEqual(later.removed(subject), [2, 3]);
    assert.deepEqual(later.removed({ ...subject, identity: 'other' }), []);
  });

  it('reads whatever was stored', () => {
    const store = new Store();
    store.values.set('plans', {
      a: null,
      b: { identity: 1 },
      [subject.path]: { identity: 'abc', removed: [1, 'x', 99] },
    });
    assert.deepEqual(new Plans(store).removed(subject), [1]);
  });

  it('remembers what suggested it, through edits, undo and a reload', () => {
    const store = new Store();
    const plans = new Plans(store);
    const suggestion = { criterion: 'ppl', goal: { kind: 'count', count: 2 }, blocks: [2, 3] } as const;
    plans.set(subject, [1]);
    assert.equal(plans.choice(subject), 'hand');
    const byHand = plans.state(subject);
    plans.suggest(subject, suggestion);
    plans.change(subject, [
      [4, false],
      [3, true],
    ]);
    const edited = plans.state(subject);
    assert.deepEqual(edited, { removed: [2, 4], suggestion });
    assert.deepEqual(new Plans(store).choice(subject), suggestion);
    plans.restore(subject, byHand);
    assert.equal(plans.choice(subject), 'hand');
    plans.restore(subject, edited);
    assert.deepEqual(plans.choice(subject), suggestion);
    plans.set(subject, []); // Keep All Blocks
    plans.set(subject, [2]);
    assert.equal(plans.choice(subject), 'hand');
  });

  it('tells when the same blocks are suggested by another criterion', () => {
    const plans = new Plans(new Store());
    const told: string[] = [];
    plans.onChange((path) => told.push(path));
    for (const criterion of ['ppl', 'taylor', 'taylor']) {
      plans.suggest(subject, { criterion, goal: { kind: 'count', count: 1 }, blocks: [2] });
    }
    assert.equal(told.length, 2);
    assert.equal((plans.choice(subject) as { criterion: string }).criterion, 'taylor');
  });

  it('amounts to the true numbers', async () => {
    const tied = await openCheckpoint(tinyCheckpoint('llama-gqa-tied'));
    const effect = planEffect(tied, [1, 2]);
    assert.equal(effect.kept.length, 2);
    const perBlock = (effect.parametersBefore - effect.parametersAfter) / 2;
    // Tied: the embedding is read as the head, so that all parameters count.
    assert.equal(effect.speedup, effect.parametersBefore / (effect.parametersBefore - 2 * perBlock));
    const untied = await openCheckpoint(tinyCheckpoint('llama-plain'));
    const { parametersBefore, parametersAfter, speedup } = planEffect(untied, [0]);
    const embedding = 288 * 64; // of which writing a token reads a row
    assert.equal(speedup, (parametersBefore - embedding) / (parametersAfter - embedding));
    assert.equal(planEffect(untied, []).speedup, 1);
  });
});

describe('boxes', () => {
  const locked = new Set([0, 5]);
  let plans: Plans;
  beforeEach(() => {
    plans = new Plans(new Store());
  });

  it('of locked blocks stay ticked', () => {
    tick(
      plans,
      subject,
      [
        [0, false],
        [1, false],
      ],
      locked,
    );
    assert.deepEqual(plans.removed(subject), [1]);
  });

  it('of several lines go the same way: all unticked, then all ticked', () => {
    plans.set(subject, [2]);
    assert.deepEqual(toggle(plans, subject, [1, 2, 3], locked), []);
    assert.deepEqual(plans.removed(subject), [1, 2, 3]);
    toggle(plans, subject, [2, 3], locked);
    assert.deepEqual(plans.removed(subject), [1]);
  });

  it('tell which of them are locked, and toggle the others', () => {
    assert.deepEqual(toggle(plans, subject, [0, 4, 5], locked), [0, 5]);
    assert.deepEqual(plans.removed(subject), [4]);
  });
});

describe('hidden lines', () => {
  it('are kept with the workspace until they are shown again', () => {
    const store = new Store();
    const hidden = new HiddenPaths(store);
    let told = 0;
    hidden.onChange(() => told++);
    hidden.hide(['/a', '/b']);
    hidden.hide(['/b']); // nothing new
    const later = new HiddenPaths(store);
    assert.deepEqual([later.has('/a'), later.has('/c'), later.size, told], [true, false, 2, 1]);
    later.show(['/a', '/c']);
    assert.deepEqual([later.has('/a'), later.has('/b')], [false, true]);
    later.show();
    assert.equal(new HiddenPaths(store).size, 0);
  });
});

describe('protected blocks', () => {
  it('are the first four, the last two, and the list of the user, which locks', () => {
    const { kept, locked } = protectionOf(10, { keepEnds: true, keep: '5, 8-20' });
    assert.deepEqual(
      [...kept].sort((a, b) => a - b),
      [0, 1, 2, 3, 5, 8, 9],
    );
    assert.deepEqual([...locked], [5, 8, 9]);
  });

  it('are the usual ones when the list cannot be read', () => {
    const { kept, locked, fault } = protectionOf(10, { keepEnds: true, keep: 'five' });
    assert.equal(kept.size, 6);
    assert.equal(locked.size, 0);
    assert.match(fault ?? '', /neither a block number nor a range/);
  });

  it('stop what would remove blocks while the list cannot be read', () => {
    const refusal = { name: 'UserError', what: /coppice\.keep/, why: /"five" is neither/, action: /5,12-14/ };
    assert.throws(() => requireProtection(10, { keepEnds: true, keep: '3,five' }), refusal);
    assert.throws(() => requireProtection(10, { keepEnds: true, keep: '7-5' }), { why: /ends before it starts/ });
    assert.deepEqual([...requireProtection(10, { keepEnds: false, keep: '3' }).locked], [3]);
  });
});

describe('scores of a checkpoint', () => {
  const result = (criterion: ScoreResult['criterion'], scores: readonly number[]): ScoreResult => ({
    criterion,
    model: { name: 'one', path: subject.path, identity: 'abc' },
    full: null,
    blocks: scores.map((score, index) => ({ index, score })),
    calibration: null,
    seconds: 1,
    device: 'cpu',
    peakRssBytes: 1,
  });

  it('are kept by criterion, the newest first, and go with the checkpoint', () => {
    const store = new Store();
    const book = new ScoreStore(store);
    book.add(subject.path, result('ppl', [3, 1, 2]), null);
    book.add(subject.path, result('magnitude', [1, 2, 3]), null);
    book.add(subject.path, result('ppl', [2, 1, 3]), '/runs/1.json');
    const later = new ScoreStore(store);
    assert.deepEqual(
      later.all(subject).map(({ criterion }) => criterion),
      ['ppl', 'magnitude'],
    );
    assert.equal(later.latest(subject)?.record, '/runs/1.json');
    assert.equal(later.latest({ ...subject, identity: 'other' }), undefined);
  });

  it('are shown by the criterion that was chosen, also later, until there are new ones', () => {
    const store = new Store();
    const book = new ScoreStore(store);
    const told: string[] = [];
    book.onChange((path) => told.push(path));
    book.add(subject.path, result('ppl', [3, 1, 2]), null);
    book.add(subject.path, result('taylor', [1, 2, 3]), null);
    assert.equal(book.shown(subject)?.criterion, 'taylor');
    book.show(subject.path, 'ppl');
    book.show(subject.path, 'ppl'); // nothing new
    assert.equal(told.length, 3);
    assert.equal(new ScoreStore(store).shown(subject)?.criterion, 'ppl');
    assert.equal(book.shown({ ...subject, identity: 'other' }), undefined);
    book.add(subject.path, result('magnitude', [1, 2, 3]), null);
    assert.equal(book.shown(subject)?.criterion, 'magnitude');
    book.add(subject.path, result('taylor', [1, 2, 3]), null, { shows: false });
    assert.equal(book.shown(subject)?.criterion, 'magnitude');
  });

  it('say what they are, and on which text', () => {
    const book = new ScoreStore(new Store());
    const calibration = {
      source: 'mine.txt',
      sha256: '',
      samples: 10,
      length: 128,
      seed: 1,
      method: 'documents' as const,
    };
    const full = { ppl: 18.123, meanNll: 2.9, tokens: 100 };
    book.add(subject.path, { ...result('ppl', [34.25, 20]), calibration, full }, null);
    const ppl = book.shown(subject)!;
    assert.equal(scoreWords(ppl, 0), 'ppl 34.25');
    assert.equal(scoreSentence(ppl, 0), 'ppl 34.25, original 18.12, on mine.txt, 10 × 128 tokens');
    assert.equal(scoringSentence(ppl), 'ppl, original 18.12, on mine.txt, 10 × 128 tokens');
    // A text of the same base name is told apart where its place is known.
    const mine = { file: '/w/data/mine.txt', name: 'data/mine.txt' };
    book.add(subject.path, { ...result('ppl', [34.25, 20]), calibration, full }, null, mine);
    assert.match(scoringSentence(book.shown(subject)!), /, on data\/mine\.txt, 10 × 128 tokens$/);
    book.add(subject.path, { ...result('kl', [0.125, 2]), calibration, full: { ...full, kl: 0 } }, null);
    assert.equal(scoreSentence(book.shown(subject)!, 0), 'kl 0.125 nats, on mine.txt, 10 × 128 tokens');
    const removals = [1, 0].map((block) => ({ block, meanNll: 1, ppl: 2 }));
    book.add(subject.path, { ...result('greedy', []), blocks: undefined, removals }, null);
    const greedy = book.shown(subject)!;
    assert.equal(scoreWords(greedy, 0), 'greedy rank 2');
    assert.equal(scoreWords(greedy, 3), undefined);
    const set = { blocks: [0, 1], kl: 0.5, meanNll: 3 };
    const search = { ...set, ppl: 20, start: set, trajectory: [], sets: 1, seconds: 1, ended: 'time' } as const;
    book.add(subject.path, { ...result('search', []), blocks: undefined, search }, null);
    const found = book.shown(subject)!;
    assert.deepEqual(rankingOf(found), { kind: 'set', set: [0, 1] });
    assert.equal(scoreWords(found, 1), 'search removes it');
    assert.equal(scoreWords(found, 3), undefined);
  });

  it('warn of a plan that removes what matters much, or what the paper keeps', () => {
    const book = new ScoreStore(new Store());
    book.add(subject.path, result('ppl', [125, 1, 5, 2, 63.5, 8]), null);
    const scores = book.shown(subject);
    const protection = protectionOf(6, { keepEnds: false, keep: '' });
    assert.equal(planWarning([1, 2], scores, protection), undefined);
    assert.equal(planWarning([0, 1], scores, protection), 'removes block 0, which is important (ppl 125)');
    assert.equal(planWarning([0, 4], scores, protection), 'removes blocks 0, 4, which are important (ppl 125, 63.5)');
    const byPaper = protectionOf(8, { keepEnds: true, keep: '' });
    assert.equal(planWarning([1, 4], undefined, byPaper), 'removes block 1, which the paper keeps');
    assert.equal(
      planWarning([0, 1, 2], scores, byPaper),
      'removes block 0, which is important (ppl 125); removes blocks 1, 2, which the paper keeps',
    );
    const locked = protectionOf(8, { keepEnds: false, keep: '1' });
    assert.equal(planWarning([1], undefined, locked), undefined);
  });

  it('of a view say nothing about the whole', () => {
    const book = new ScoreStore(new Store());
    book.add(subject.path, { ...result('ppl', [1, 2]), removed: [1] }, null);
    assert.deepEqual(book.all(subject), []);
  });

  it('rank blocks, and show which third each is in', () => {
    const book = new ScoreStore(new Store());
    book.add(subject.path, result('ppl', [9, 1, 5, 2, 6, 8]), null);
    const scores = book.latest(subject)!;
    assert.deepEqual(rankingOf(scores), { kind: 'scores', scores: [9, 1, 5, 2, 6, 8] });
    assert.deepEqual(importances(scores), ['high', 'low', 'middle', 'low', 'middle', 'high']);
  });
});

describe('the parts of a checkpoint', () => {
  it('hold every tensor once', async () => {
    const checkpoint = await openCheckpoint(tinyCheckpoint('qwen3-qknorm'));
    const { embedding, blocks, norm, head, other } = tensorsByPlace(checkpoint);
    const all = [embedding, ...blocks, norm, head, other].flatMap(({ tensors }) => tensors);
    assert.equal(all.length, checkpoint.tensors.size);
    assert.equal(new Set(all).size, all.length);
    assert.equal(blocks.length, 4);
    assert.equal(other.tensors.length + blocks[0].other.tensors.length, 0);
    assert.equal(blocks[0].attention.tensors.length, 7); // q, k, v, o, both head norms and the norm before them
  });
});

describe('names of tensors', () => {
  it('say no more than their place in the tree leaves open', () => {
    assert.equal(nameInModule('model.layers.0.self_attn.q_proj.weight'), 'q_proj.weight');
    assert.equal(nameInModule('model.layers.11.input_layernorm.weight'), 'input_layernorm.weight');
    assert.equal(nameInModule('model.layers.3.block_sparse_moe.experts.7.w1.weight'), 'experts.7.w1.weight');
    assert.equal(nameInModule('model.embed_tokens.weight'), 'embed_tokens.weight');
  });
});

describe('found files', () => {
  it('make up checkpoints and adapters', () => {
    const { checkpoints, adapters, patches, widths, trainings } = groupFiles([
      '/w/a/model.safetensors',
      '/w/b/model-00001-of-00002.safetensors',
      '/w/b/model-00002-of-00002.safetensors',
      '/w/b/model.safetensors.index.json',
      '/w/c/x.safetensors',
      '/w/c/y.safetensors',
      '/w/d/adapter_model.safetensors',
      '/w/.e-1-2.coppice-partial/model.safetensors',
      '/w/e.training/state.safetensors',
      '/w/f/model-00001-of-00002.safetensors',
      '/w/g/model.safetensors',
      '/w/g/optimizer.safetensors',
      '/w/healed.patch.safetensors',
      '/w/a/13-18.patch.safetensors',
      '/w/a/flap-6.width.safetensors',
      '/w/a/q8.gguf',
      '/w/h/big-00002-of-00002.gguf',
      '/w/h/big-00001-of-00002.gguf',
    ]);
    assert.deepEqual(checkpoints, [
      '/w/a',
      '/w/a/q8.gguf',
      '/w/b',
      '/w/c/x.safetensors',
      '/w/c/y.safetensors',
      '/w/f',
      '/w/g',
      '/w/h/big-00001-of-00002.gguf',
    ]);
    assert.deepEqual(adapters, ['/w/d']);
    assert.deepEqual(patches, ['/w/a/13-18.patch.safetensors', '/w/healed.patch.safetensors']);
    assert.deepEqual(widths, ['/w/a/flap-6.width.safetensors']);
    assert.deepEqual(trainings, ['/w/e']);
  });
});

describe('words', () => {
  it('are short', () => {
    assert.deepEqual([999, 1000, 134515008, 7e9].map(shortCount), ['999', '1.0K', '134.5M', '7.0B']);
    assert.deepEqual([8.30612, 'Infinity' as const, 'NaN' as const].map(shortScore), ['8.306', '∞', 'NaN']);
  });

  it('write a number as the results panel writes it, with at least three of its digits', () => {
    const powers = Array.from({ length: 60 }, (_, i) => 10 ** (i / 3 - 8));
    const scores = [271.8, 286.478, 62073.6, 45.66, 999.94, 999.96, 1000, 0, ...powers].flatMap((size) => [
      size,
      -size,
    ]);
    for (const score of scores) {
      assert.equal(shortScore(score), shortNumber(score));
      const back = Number(shortNumber(score).replaceAll('−', '-').replaceAll(',', ''));
      assert.ok(Math.abs(back - score) <= 0.005 * Math.abs(score), `${score} is written ${shortNumber(score)}`);
    }
    assert.equal(shortNumber(286.478), '286.5');
  });
});
