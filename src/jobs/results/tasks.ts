/** The result of "tasks": accuracies of one model, or of several on the same items. */
import { either, flag, list, nullable, number, oneOf, optional, shape, text, whole, type ValueOf } from '../result';
import { column, computed, paired } from './common';

const METRICS = ['acc', 'accNorm'] as const;

const item = whole("number of the record in the task's file, from 0");

const answer = either(
  shape(
    {
      item,
      gold: whole('number of the right choice'),
      choices: list(
        shape(
          {
            loglik: number('Σ ln p of its tokens'),
            tokens: whole('its tokens'),
            characters: whole('its code points'),
            greedy: flag("every token of it is the model's first choice"),
          },
          'a choice',
        ),
        'the choices',
      ),
    },
    'a question with choices',
  ),
  shape({ item, text: text('what the model wrote'), correct: flag('it is right') }, 'a written answer'),
  'an answer',
);

const task = shape(
  {
    name: text('the task'),
    items: whole('its items'),
    acc: number('share of the items whose most likely choice is right', { better: 'more' }),
    accStderr: nullable(number('its standard error; null for a single item')),
    accNorm: optional(number('the same by loglik / characters', { better: 'more' })),
    accNormStderr: optional(nullable(number('its standard error'))),
    reported: oneOf(METRICS, 'the metric that counts'),
    results: list(answer, 'the answers'),
  },
  'accuracy in a task',
);

const average = number("mean of the tasks' reported metrics", {
  better: 'more',
  gate: { limit: 'minAccuracy', of: 'last' },
});

const model = shape(
  { ...column, identity: text('identity of its files'), tasks: list(task, 'its tasks'), average, ...computed },
  "one model's results",
);
export type ModelTasks = ValueOf<typeof model>;

const difference = shape(
  {
    label: text('the model'),
    tasks: list(
      shape(
        {
          name: text('the task'),
          ...paired,
          metric: oneOf(METRICS, 'the metric that counts'),
          lost: whole('items that only the first model has right'),
          gained: whole('items that only this one has right'),
          pValue: number("McNemar's exact test"),
          differing: list(item, 'items whose answers differ'),
        },
        'a task',
      ),
      'by task',
    ),
    average: shape(paired, 'of the average'),
  },
  'how far a model is from the first one on the same items',
);

const question = shape(
  { task: text('the task'), item, context: text('the question'), choices: list(text('a choice'), 'its choices') },
  'the text of a question',
);

const comparison = shape(
  {
    models: list(model, 'the models'),
    differences: list(difference, 'of each further model to the first; empty for one model'),
    questions: list(question, 'texts of some items where models differ'),
    ...computed,
  },
  'several models',
);
export type TasksComparison = ValueOf<typeof comparison>;

export const tasksResult = either(model, comparison, 'accuracies of one model, or of several on the same items');
export type TasksResult = ValueOf<typeof tasksResult>;
