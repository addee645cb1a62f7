/** References, order and limits of recipes. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { copyPlaces } from '../../../src/recipes/save/copies';
import { judge, limitValue, measuresOf } from '../../../src/recipes/limits';
import { chosenSteps, inOrder } from '../../../src/recipes/order';
import type { Limits, RecipeStep } from '../../../src/recipes/recipe';
import { referencesIn, substitute } from '../../../src/recipes/references';
import type { FinishedStep } from '../../../src/recipes/types';
import { verdictWords } from '../../../src/recipes/words';

const step = (name: string, options: object = {}, after: readonly string[] = []): RecipeStep => {
  return { name, job: 'score', options: { ...options }, limits: {}, after };
};
const names = (steps: readonly RecipeStep[]): string[] => steps.map(({ name }) => name);

describe('references of recipes', () => {
  const valueOf = ({ kind, ...rest }: ReturnType<typeof referencesIn>[number]): string | number =>
    kind === 'variable' && 'name' in rest && rest.name === 'n' ? 7 : JSON.stringify(rest);

  it('become the value itself where they are the whole text, and text within one', () => {
    assert.equal(substitute('${n}', valueOf), 7);
    assert.equal(substitute('x-${n}-${n}', valueOf), 'x-7-7');
    assert.deepEqual(substitute({ a: ['${n}', 1, null, true] }, valueOf), { a: [7, 1, null, true] });
    assert.equal(substitute('$${n} costs $5', valueOf), '${n} costs $5');
  });

  it('name steps and fields of their results', () => {
    assert.deepEqual(referencesIn(['${steps.a}', { b: 'x${ steps.c-d.models.0.ppl }' }, '$${steps.e}']), [
      { kind: 'step', step: 'a', fields: [] },
      { kind: 'step', step: 'c-d', fields: ['models', '0', 'ppl'] },
    ]);
  });

  it('are not replaced in what replaced them', () =>
    assert.equal(
      substitute('${a}', () => '${n}'),
      '${n}',
    ));
});

describe('order of steps', () => {
  const c = step('c', { scores: '${steps.b}' });
  const b = step('b', {}, ['a']);
  const steps = [c, step('free'), b, step('a')];

  it('puts each step behind what it needs, and keeps the others as they are', () => {
    assert.deepEqual(names(inOrder(steps).order), ['a', 'b', 'c', 'free']);
    assert.deepEqual(inOrder(steps).circle, []);
  });

  it('finds a circle', () => {
    assert.deepEqual(inOrder([step('a', {}, ['b']), step('b', { x: '${steps.a}' })]).circle, ['a', 'b', 'a']);
    assert.deepEqual(inOrder([step('a', {}, ['a'])]).circle, ['a', 'a']);
  });

  it('chooses what a step needs', () => {
    const { order } = inOrder(steps);
    assert.deepEqual([...chosenSteps(order, ['b'])].sort(), ['a', 'b']);
    assert.equal(chosenSteps(order, []).size, 4);
  });
});

describe('limits of recipes', () => {
  it('are numbers, and sizes with units', () => {
    assert.equal(limitValue('maxPpl', 60), 60);
    assert.equal(limitValue('maxBytes', '100MB'), 100e6);
    assert.equal(limitValue('maxBytes', 5), 5);
    for (const [name, value] of [
      ['maxPpl', 'much'],
      ['maxBytes', '5 apples'],
      ['minAccuracy', -1],
      ['maxRepetition', -0.1],
      ['maxKl', true],
      ['maxPpl', ''],
    ] as const) {
      assert.throws(() => limitValue(name, value), /no number/);
    }
  });
});

describe('limits of what a perplexity hides', () => {
  const step = { name: 'quality', job: 'eval', outputs: [] } as unknown as FinishedStep;
  const result = { ppl: 20, top1: 0.83, repetition: { texts: 8, mean: 0.5, unpruned: 0.25 } };
  const kept = (limits: Limits): boolean[] => judge(step, result, limits).map((verdict) => verdict.kept);

  it('are repetition above the unpruned model’s, and the least share of equal next tokens', () => {
    assert.deepEqual(kept({ minSame: 0.83, maxRepetition: 0.25 }), [true, true]);
    assert.deepEqual(kept({ minSame: 0.84, maxRepetition: 0.1 }), [false, false]);
    const [same, repetition] = judge(step, result, { minSame: 0.8, maxRepetition: 0.1 }).map(verdictWords);
    assert.deepEqual(
      [same, repetition],
      ['83 % same next tokens, at least 80 %', 'repetition +25 points, at most +10'],
    );
  });

  it('are for evaluations that continue their text, and need an unpruned model', () => {
    assert.ok(!measuresOf('eval', {}).includes('maxRepetition'));
    assert.ok(measuresOf('eval', { repetition: 8 }).includes('maxRepetition'));
    const alone = { ppl: 20, repetition: { texts: 8, mean: 0.5, unpruned: null } };
    assert.throws(() => judge(step, alone, { maxRepetition: 0.1 }), { action: /add “against”/ });
  });
});

describe('copies of bundled texts', () => {
  it('go into a folder of the recipe, each under a name of its own, and texts of the user stay where they are', () => {
    const [here, own] = [resolve('/ext/coppice-1.0.0'), resolve('/w/own.txt')];
    const reads = [join(here, 'media/sample/calibration.txt'), own, join(here, 'media/other/calibration.txt')];
    const file = resolve('/w/model.coppice.json');
    assert.deepEqual(
      [...copyPlaces(reads, here, file)],
      [
        [reads[0], resolve('/w/model.coppice/calibration.txt')],
        [reads[2], resolve('/w/model.coppice/calibration-2.txt')],
      ],
    );
  });
});
