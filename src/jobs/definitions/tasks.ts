/** Accuracy in tasks: the seven of the paper, and the user's own. One model, or several on the same items. */
import { answers } from '../options/measured-tasks';
import { objects } from '../../engine/records/fields';
import { PROBE_NAMES } from '../../format/probes';
import { TASK_NAMES } from '../../engine/evaluate/tasks/catalogue';
import { option } from '../../engine/option-token';
import { isObject, type JsonObject, parseJsonNumber } from '../../format/json';
import { formatPercent } from '../../format/numbers';
import { counted } from '../../format/words';
import { l10n } from '../../l10n';
import { defineJob } from '../define';
import { numberFact } from '../facts';
import { choice, file, folder, list, seed, whole } from '../option';
import { begin } from '../options/bos';
import { compute } from '../options/compute';
import { floatPrecision } from '../options/precision';
import { faultOfModels, severalModels } from '../options/models';
import { tasksResult } from '../results/tasks';

const options = {
  ...severalModels,
  data: folder('folder with the files of the tasks', { noun: () => l10n.t('a folder of task data') }),
  tasks: list(choice(TASK_NAMES, 'a task'), `of the data: ${TASK_NAMES.join(', ')} (default: all that are there)`, {
    needs: 'data',
    expected: `names of tasks separated by commas: ${TASK_NAMES.join(', ')}`,
  }),
  own: list(file('a file'), 'a JSON file of your own questions; may be given several times', {
    repeated: true,
    noun: () => l10n.t('a file of questions'),
  }),
  from: whole('the first record taken of each file, from 0', { min: 0, noun: () => l10n.t('first record') }),
  probes: list(
    choice(['all', ...PROBE_NAMES], 'a probe'),
    `ask what needs no data, made from a seed: all, or some of ${PROBE_NAMES.join(', ')}`,
    {
      expected: `names of probes separated by commas: ${PROBE_NAMES.join(', ')}; models stand before --probes`,
      alone: 'all',
      noun: () => l10n.t('probes'),
    },
  ),
  seed: seed('of the texts of the probes (default: 0)', {
    needs: 'probes',
    noun: () => l10n.t('the seed of the probes'),
  }),
  limit: whole('take at most n records of each file, and n questions of each probe', {
    noun: () => l10n.t('number of items'),
  }),
  ...begin,
  answers,
  precision: floatPrecision,
  ...compute,
};

export const tasks = defineJob({
  kind: 'tasks',
  summary: 'measure accuracy in tasks and probes, of one or several models',
  description:
    'Lets models answer questions: BoolQ, PIQA, HellaSwag, WinoGrande, ARC and OpenBookQA as lm-evaluation-harness ' +
    `asks them (without examples; its own numbers need ${option('bos', 'none')}), and your own. ` +
    `${option('probes')} needs no data: texts made from a seed show what broke, such as copying, recalling or JSON. Several models answer the same items, and each ` +
    'is compared with the first one item by item. What is removed, healed or adapted is so in the last checkpoint.',
  examples: [
    './SmolLM2-135M --data ./tasks',
    './SmolLM2-135M --data ./tasks --tasks piqa,arc_easy --limit 200 --json',
    './SmolLM2-135M ./SmolLM2-135M --remove 5,12 --data ./tasks',
    './SmolLM2-135M ./SmolLM2-pruned ./SmolLM2-retrained --data ./tasks --answers answers.jsonl',
    './SmolLM2-135M --own questions.json',
    './SmolLM2-135M ./SmolLM2-pruned --probes',
  ],
  noun: () => l10n.t('Evaluating tasks'),
  title: (model) => l10n.t('Evaluating tasks of {0}', model),
  done: (model) => l10n.t('Evaluated tasks of {0}', model),
  icon: 'checklist',
  measures: true,
  step: 'accuracy',
  about: accuracyWords,
  facts: (result) => {
    const models = objects(result.models);
    return (models.length > 0 ? models : [result]).flatMap((model) =>
      numberFact(models.length > 0 ? String(model.label) : 'accuracy', model.average, averageOf(model)),
    );
  },
  options,
  check: (given) =>
    faultOfModels(given) ??
    (given.data !== undefined || given.own !== undefined || given.probes !== undefined
      ? undefined
      : {
          what: 'There is nothing to answer',
          why: `none of ${option('tasks.data')}, ${option('own')} and ${option('probes')} is given`,
          action: `Add ${option('tasks.data', 'DIR')} with the files of the tasks, ${option('own', 'FILE')} with your own, or ${option('probes')}.`,
        }),
  result: tasksResult,
});

function accuracyWords({ average, models }: JsonObject): string {
  const shares = Array.isArray(models)
    ? models.map((model: unknown) => (isObject(model) ? model.average : undefined))
    : [average];
  const found = shares.flatMap((share) => parseJsonNumber(share) ?? []);
  return found.length === 0 ? '' : `accuracy ${found.map((share) => formatPercent(share)).join(' → ')}`;
}

/** "51.3 % in 5 tasks, 7 items". */
const averageOf =
  ({ tasks: asked }: JsonObject) =>
  (average: number): string => {
    const items = objects(asked).reduce((sum, task) => sum + (typeof task.items === 'number' ? task.items : 0), 0);
    return `${(100 * average).toFixed(1)} % in ${counted(objects(asked).length, 'task')}, ${counted(items, 'item')}`;
  };
