/** The result of "tasks": accuracies of one model, or of several on the same items. */
import { PROBE_NAMES, type ProbeName } from '../../format/probes';
import {
  either,
  type Field,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
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
  shape(
    {
      item,
      text: text('what the model wrote'),
      correct: flag('it is right'),
      fresh: optional(number('share of its runs of four tokens that are new, where that counts', { better: 'more' })),
    },
    'a written answer',
  ),
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

const average = nullable(
  number("mean of the tasks' reported metrics, probes aside; null without a task", {
    better: 'more',
    gate: { limit: 'minAccuracy', of: 'last' },
  }),
);

/** A field for each probe, absent where it was not asked for. */
const byProbe = <T>(of: (name: ProbeName) => Field<T>, words: string) =>
  optional(
    shape(
      Object.fromEntries(PROBE_NAMES.map((name) => [name, optional(of(name))])) as Record<ProbeName, Field<T, false>>,
      words,
    ),
  );

const probe = shape(
  {
    items: whole('its questions'),
    score: number('mean of what they count: 1 for a right one', { better: 'more' }),
    stderr: nullable(number('its standard error; null for a single question')),
    chance: number('score of a model that guesses'),
    able: flag('the score is above that by more than 1.96 standard errors'),
    sha256: text('SHA-256 of its questions: the same for the same seed'),
    results: list(answer, 'the answers'),
  },
  'what a model scores in a probe',
);

const model = shape(
  {
    ...column,
    identity: text('identity of its files'),
    tasks: list(task, 'its tasks'),
    average,
    probes: byProbe(() => probe, 'its probes, by name'),
    ...computed,
  },
  "one model's results",
);
export type ModelTasks = ValueOf<typeof model>;
export type ProbeScore = ValueOf<typeof probe>;

const items = {
  lost: whole('items in which the first model scores more: that only it has right'),
  gained: whole('items in which this one scores more'),
  pValue: number("McNemar's exact test"),
  differing: list(item, 'items whose answers differ'),
};

const probeLoss = (name: ProbeName) =>
  shape(
    {
      ...paired,
      ...items,
      able: flag('the first model can do it; if not, the difference says nothing'),
      loss: nullable(
        number('what is lost of its score; 0 where nothing is, null where the first model cannot do it', {
          better: 'less',
          gate: { limit: `maxProbeLoss.${name}`, of: 'worst' },
        }),
      ),
    },
    'a probe',
  );

const difference = shape(
  {
    label: text('the model'),
    tasks: list(
      shape(
        { name: text('the task'), ...paired, metric: oneOf(METRICS, 'the metric that counts'), ...items },
        'a task',
      ),
      'by task',
    ),
    average: nullable(shape(paired, 'of the average; null without a task')),
    probes: byProbe(probeLoss, 'by probe'),
    probeLoss: optional(
      nullable(
        number('the most that is lost in a probe which the first model can do; null where it can do none', {
          better: 'less',
          gate: { limit: 'maxProbeLoss', of: 'worst' },
        }),
      ),
    ),
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
export type ProbeDifference = ValueOf<ReturnType<typeof probeLoss>>;
export type TasksComparison = ValueOf<typeof comparison>;

export const tasksResult = either(
  model,
  comparison,
  'accuracies and probes of one model, or of several on the same items',
);
export type TasksResult = ValueOf<typeof tasksResult>;
