/** The words of lenses, of the page of a plan, and of a task's terminal. */
import assert from 'node:assert/strict';
import { planPage } from '../../../../src/editors/recipes/plan-page';
import { endLine, eventLines } from '../../../../src/editors/recipes/task-output';
import { isRecipeName } from '../../../../src/host/recipes/recipe-names';
import { type StepFacts, stepWords } from '../../../../src/host/recipes/recipe-words';
import type { PlannedStep, RecipeEnd, RecipePlan } from '../../../../src/recipes/types';
import { finished } from './finished-step';

const step = { name: 'quality', job: 'eval', options: {}, limits: {}, after: [] } as const;
const before = finished('quality', 'eval');
const done: PlannedStep = { step, state: 'done', before };
const result = { ppl: 45.04, kl: 0.1234, tokens: 128, precision: 'float32' };

describe('words of a step', () => {
  const words = (facts: StepFacts): string | undefined => stepWords(facts);

  it('are its result, or why it would run', () => {
    assert.equal(words({}), undefined);
    assert.equal(
      words({ planned: done, result }),
      'perplexity 45.04, KL 0.123 nats, 128 tokens, float32 on cpu · 3.2 s · done',
    );
    assert.equal(words({ planned: done, result, broken: 'breaks maxPpl' })?.split(' · ').at(-1), 'breaks maxPpl');
    const expected = { seconds: 80, from: 'speed' } as const;
    const runs: PlannedStep = { step, state: 'run', why: 'its options or inputs changed', before, expected };
    assert.equal(words({ planned: runs }), 'would run: its options or inputs changed · about 1:20');
    const guessed: PlannedStep = { ...runs, expected: { seconds: 80, from: 'guess' } };
    assert.equal(words({ planned: guessed }), 'would run: its options or inputs changed · roughly 40 s to 3 min');
  });

  it('are how far it is while it runs, and why it failed', () => {
    const progress = { label: 'window 4 of 30', done: 4, total: 30, unit: 'windows' };
    assert.equal(words({ planned: done, result, running: progress }), 'window 4 of 30 · 13 %');
    assert.equal(words({ planned: done, running: null }), 'Preparing…');
    assert.equal(words({ planned: done, failure: 'x'.repeat(300) })?.length, 'failed: '.length + 120);
  });
});

describe('pages and lines of a recipe', () => {
  const recipe = {
    ...{ file: '/w/a|b.coppice.json', name: 'a|b', variables: {}, quick: {}, steps: [step], limits: {}, tables: [] },
  };
  const plan: RecipePlan = {
    ...{
      recipe,
      folder: '/f',
      variables: {},
      model: '/w/my_model',
      expectedSeconds: 80,
      unknown: ['shipped'],
      withheld: [],
    },
    steps: [
      done,
      { step: { ...step, name: 'shipped' }, state: 'run', why: 'it has not run yet' },
      {
        step: { ...step, name: 'other' },
        state: 'run',
        expected: { seconds: 80, from: 'before', memoryBytes: 1.22e9 },
      },
    ],
  };

  it('say of each step what happens, and escape what others wrote', () => {
    const page = planPage(plan, new Map([['quality', result]]));
    assert.match(page, /^# Plan of a\\\|b$/m);
    assert.match(page, /^\| quality \| eval \| done · perplexity 45\.04, KL .* · 3\.2 s \| {2}\| {2}\|$/m);
    assert.match(page, /^\| shipped \| eval \| runs: it has not run yet \| not known \| {2}\|$/m);
    assert.match(page, /^\| other \| eval \| runs \| about 1:20, as before \| 1\.2 GB \|$/m);
    assert.match(page, /^2 of 3 steps run, in about 1:20 and the time of shipped, which is not known\.$/m);
  });

  it('give a range for what this machine has not done, and for a sum with it', () => {
    const run = (name: string, from: 'guess' | 'before'): PlannedStep => ({
      ...{ step: { ...step, name }, state: 'run', expected: { seconds: 240, from } },
    });
    const guessed: RecipePlan = { ...plan, unknown: [], steps: [run('one', 'guess'), run('two', 'before')] };
    const page = planPage(guessed, new Map());
    assert.match(page, /^\| one \| eval \| runs \| roughly 2 to 8 min \| {2}\|$/m);
    assert.match(page, /^2 of 2 steps run, in roughly 6 to 12 min\.$/m);
  });

  it('say in a terminal what runs, what it measured, and how it ended', () => {
    const verdict = { step: 'quality', limit: 'maxPpl', most: 40, measured: 45.04, kept: false } as const;
    const end = { name: 'quality', job: 'eval', state: 'done', finished: before, result } as const;
    const lines = [
      ...eventLines({ type: 'plan', plan }),
      ...eventLines({ type: 'start', step: 'quality', at: 0, of: 3 }),
      ...eventLines({ type: 'end', end }),
      ...eventLines({ type: 'limit', verdict }),
      ...eventLines({ type: 'limit', verdict: { ...verdict, most: 50, kept: true } }),
    ];
    assert.deepEqual(lines.slice(1), [
      'Step 1 of 3: quality',
      '  perplexity 45.04, KL 0.123 nats, 128 tokens, float32 on cpu · 3.2 s',
      '  The step “quality” breaks the limit maxPpl: perplexity 45.04, at most 40.',
      '  keeps to its limit maxPpl: perplexity 45.04, at most 50',
    ]);
    const ended: RecipeEnd = {
      ...{ recipe, folder: '/f', quick: false, steps: [], limits: [verdict], ended: 'limit', ran: 1 },
      ...{ started: '', seconds: 4, coppice: '1', variables: {} },
    };
    assert.equal(endLine(ended), 'a|b.coppice.json: a limit is broken.');
    assert.equal(endLine({ ...ended, ended: 'done', ran: 0 }), 'a|b.coppice.json: nothing to do.');
  });

  it('are of files that are recipes', () => {
    for (const name of ['a.coppice.json', '/x/y.z.coppice.json']) assert.ok(isRecipeName(name), name);
    for (const name of ['coppice.json', '/x/.coppice.json', 'a.json', 'a.coppice-tasks.json'])
      assert.ok(!isRecipeName(name), name);
  });
});
