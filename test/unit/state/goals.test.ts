/** Goals, skipped steps and named plans, as they are kept with the workspace. */
import assert from 'node:assert/strict';
import type { ShipGoal } from '../../../src/protocol/journey';
import { Goals } from '../../../src/state/goals';
import { NamedPlans } from '../../../src/state/named-plans';

const GOAL: ShipGoal = {
  ...{ format: 'gguf', type: 'q8_0', maxBytes: 120e6, maxRatio: 1.3 },
  ...{ maxRepetition: 0, minSame: 0.8 },
};

/** A memento as VS Code's: values go through JSON. */
function memento(first: Record<string, unknown> = {}) {
  const kept = new Map(Object.entries(first));
  return {
    get: (key: string) => kept.get(key),
    update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, JSON.parse(JSON.stringify(value)))),
  };
}

describe('goals', () => {
  it('are kept for a family, with the steps that are left out', () => {
    const store = memento();
    const goals = new Goals(store);
    const told: string[] = [];
    goals.onChange((original) => told.push(original));
    goals.skip('original', 'pruned', 'retrain');
    goals.set('original', GOAL);
    goals.skip('original', 'pruned', 'retrain');
    const again = new Goals(store);
    assert.deepEqual(again.goal('original'), GOAL);
    assert.deepEqual(again.skipped('original', 'pruned'), ['retrain']);
    assert.deepEqual(again.skipped('original', 'other'), []);
    assert.equal(again.goal('another'), undefined);
    again.set('original', undefined);
    assert.equal(new Goals(store).goal('original'), undefined);
    assert.deepEqual(new Goals(store).skipped('original', 'pruned'), ['retrain']);
    assert.deepEqual(told, ['original', 'original', 'original']);
  });

  it('are in place of the wish for the same text, faster, and the reverse', () => {
    const store = memento();
    const goals = new Goals(store);
    goals.set('original', GOAL);
    goals.skip('original', 'pruned', 'retrain');
    goals.setFaster('original');
    const again = new Goals(store);
    assert.equal(again.goal('original'), undefined);
    assert.equal(again.wantsFaster('original'), true);
    assert.deepEqual(again.skipped('original', 'pruned'), ['retrain']);
    again.skip('original', 'pruned', 'export');
    assert.equal(new Goals(store).wantsFaster('original'), true);
    again.set('original', GOAL);
    assert.equal(new Goals(store).wantsFaster('original'), false);
    goals.setFaster('other');
    goals.set('other', undefined);
    assert.equal(new Goals(store).wantsFaster('other'), false);
  });

  it('of other versions are read as far as they are valid', () => {
    const stored = {
      a: { goal: { format: 'gguf', maxBytes: -1, maxRatio: 'much', type: 8 } },
      b: { goal: { format: 'tape' }, skipped: { x: ['retrain', 'dance'], y: 'all' } },
      c: 'nothing',
      d: { goal: { format: 'gguf', maxRatio: 1.3, maxRepetition: -1, minSame: 1.5 } },
      e: { goal: { format: 'gguf', maxRatio: 1.3 } },
    };
    const goals = new Goals(memento({ goals: stored }));
    assert.deepEqual(goals.goal('a'), { format: 'gguf' });
    // Limits that an earlier version did not know are none.
    for (const key of ['d', 'e']) assert.deepEqual(goals.goal(key), { format: 'gguf', maxRatio: 1.3 });
    assert.equal(goals.goal('b'), undefined);
    assert.deepEqual(goals.skipped('b', 'x'), ['retrain']);
    assert.deepEqual(goals.skipped('b', 'y'), []);
    assert.equal(new Goals(memento({ goals: [1] })).goal('0'), undefined);
  });
});

describe('named plans', () => {
  const subject = { path: '/model', identity: 'one', blocks: 12 };

  it('are kept by name, for the files that they were made for', () => {
    const store = memento();
    const plans = new NamedPlans(store);
    plans.keep(subject, 'B', { removed: [4, 5] });
    plans.keep(subject, 'A', { removed: [6] });
    plans.keep(subject, 'B', { removed: [4, 6] });
    const names = (of: NamedPlans, identity = 'one') =>
      of.of({ ...subject, identity }).map(({ name, removed }) => [name, removed]);
    const both = [
      ['A', [6]],
      ['B', [4, 6]],
    ];
    assert.deepEqual(names(plans), both);
    const again = new NamedPlans(store);
    assert.deepEqual(names(again), both);
    assert.deepEqual(names(again, 'changed'), []); // of files that have changed since
    again.forget(subject, 'A');
    assert.deepEqual(names(new NamedPlans(store)), [['B', [4, 6]]]);
  });

  it('tell whose they are when they change', () => {
    const plans = new NamedPlans(memento());
    const told: string[] = [];
    plans.onChange((path) => told.push(path));
    plans.keep(subject, 'A', { removed: [6] });
    plans.forget(subject, 'A');
    assert.deepEqual(told, ['/model', '/model']);
  });

  it('that are not valid are dropped', () => {
    const stored = { '/model': [{ name: 'A', identity: 'one' }, { removed: [1] }, 7], '/other': {} };
    assert.deepEqual(new NamedPlans(memento({ namedPlans: stored })).of(subject), []);
  });
});
