/** Bundles of questions: who computes one needs to know nothing of the others. */
import assert from 'node:assert/strict';
import { type Bundle, bundleCost, bundlesOf } from '../../../src/engine/evaluate/tasks/bundles';
import type { ChoiceItem, Task, WrittenItem } from '../../../src/engine/evaluate/tasks/item';
import { requireArchitecture, openCheckpoint } from '../../../src/engine/checkpoint/open';
import { fullView, viewWithout } from '../../../src/engine/model/view';
import { uniform } from '../../support/random';
import { tinyCheckpoint } from '../../support/tiny-models';

const next = uniform(5);
const words = (most: number): string => 'word '.repeat(1 + Math.floor(next() ** 2 * most)).trim();

const choice = (item: number, most = 60): ChoiceItem => {
  const context = words(most);
  const choices = [' a', ' b c'].map((continuation) => ({ context, continuation, characters: 1 }));
  return { item, choices, gold: 0 };
};
const written = (item: number): WrittenItem => ({
  item,
  prompt: words(9),
  expected: ['a'],
  match: 'contains',
  maxTokens: item % 3 === 0 ? 8 : 4,
});
const taskOf = (name: string, choiceItems: readonly ChoiceItem[], writtenItems: readonly WrittenItem[] = []): Task => ({
  ...{ name, title: name, file: `${name}.json`, reported: 'acc', normalised: true },
  ...{ choiceItems, writtenItems },
});
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);
const itemsIn = (bundles: readonly Bundle[]): number[][] => bundles.map(({ items }) => items.map(({ item }) => item));
const bytesIn = ({ items }: Bundle): number =>
  items.reduce((sum, each) => sum + ('choices' in each ? each.choices[0].context.length + 6 : 0), 0);

describe('bundles of questions', () => {
  const many = numbers(1400).map((item) => choice(item));
  const task = taskOf('many', many, numbers(50, 1400).map(written));

  it('have every question once, and no more text or texts than they may', () => {
    const bundles = bundlesOf([task]);
    assert.deepEqual(
      itemsIn(bundles)
        .flat()
        .sort((a, b) => a - b),
      numbers(1450),
    );
    for (const bundle of bundles) {
      if (bundle.kind === 'choices') assert.ok(bytesIn(bundle) <= 10_240, `${bytesIn(bundle)} bytes`);
      else {
        assert.ok(bundle.items.length <= 16);
        assert.equal(new Set(bundle.items.map(({ maxTokens }) => maxTokens)).size, 1);
      }
    }
  });

  it('are the same beside other tasks, and mostly where more or other records are taken', () => {
    const own = itemsIn(bundlesOf([task]));
    const beside = bundlesOf([taskOf('other', [choice(0)]), task]).filter((bundle) => bundle.task === task);
    assert.deepEqual(itemsIn(beside), own);
    const fewer = itemsIn(bundlesOf([taskOf('many', many.slice(512, 1100))]));
    const complete = itemsIn(bundlesOf([taskOf('many', many.slice(512, 1024))]));
    assert.deepEqual(fewer.slice(0, complete.length), complete);
    const start = own.findIndex((items) => items[0] >= 512);
    assert.deepEqual(own.slice(start, start + complete.length), complete);
  });

  it('are several of a small file, too', () => {
    const choices = { choices: [{ context: 'word '.repeat(18), continuation: ' a', characters: 1 }] };
    const bundles = bundlesOf([
      taskOf(
        'small',
        numbers(25).map((item) => ({ ...choice(item, 1), ...choices })),
      ),
    ]);
    assert.ok(bundles.length >= 3 && bundles.length < 25, `${bundles.length} bundles`);
  });

  it('cost what their texts and the blocks of the model make', async () => {
    const architecture = requireArchitecture(await openCheckpoint(tinyCheckpoint('llama-plain')));
    const cost = (items: readonly ChoiceItem[], view = fullView(4)): number =>
      bundleCost(bundlesOf([taskOf('few', items)])[0], architecture, view);
    const [one, two] = [[choice(0, 1)], [choice(0, 1), choice(1, 1)]];
    assert.equal(cost(two), 2 * cost(one));
    assert.ok(cost(one, viewWithout(4, [{ block: 1 }, { block: 2 }])) < cost(one));
    const [short, long] = [4, 8].map((maxTokens) => {
      const items: WrittenItem[] = [{ ...written(1), prompt: 'The river', maxTokens }];
      return bundleCost(bundlesOf([taskOf('written', [], items)])[0], architecture, fullView(4));
    });
    assert.ok(long > short && long < 2 * short);
  });
});
