/** Perplexity against the number of removed blocks, in the order of a criterion (Shortened LLaMA, Figure 2). */
import { objects } from '../../engine/records/fields';
import { criterionInfo } from '../../engine/importance/criteria';
import { command, option, set } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { countedIn } from '../about';
import { type Complete, defineJob, excluding, type Fault } from '../define';
import { changeFact, measuredOn } from '../facts';
import { choice, file, whole } from '../option';
import { application } from '../options/application';
import { scoring } from '../options/choosing';
import { compute } from '../options/compute';
import { calibrationFault, CRITERIA_HELP, criterionOrPpl, objective, objectiveFault } from '../options/criterion';
import { keep } from '../options/keep';
import { maxKl } from '../options/limits';
import { measuredTasks } from '../options/measured-tasks';
import { adapter, healed, remove, source, width } from '../options/model';
import { BLOCKS_ONLY } from '../options/modules';
import { floatPrecision } from '../options/precision';
import { window } from '../options/window';
import { curveResult } from '../results/score';

/** What is measured besides the perplexity. */
const MEASURES = ['ppl', 'kl', 'tasks'] as const;
const tasksOf = measuredTasks(`with ${option('measure', 'tasks')}`);

const options = {
  ...source,
  criterion: criterionOrPpl,
  objective: excluding(objective, 'scores'),
  scores: file(`use the order of these scores: a record, or the output of \`${command('score', '--json')}\``, {
    noun: () => l10n.t('the scores'),
  }),
  most: whole('largest number of removed blocks (default: all that can be removed)', {
    noun: () => l10n.t('the largest number of removed blocks'),
  }),
  ...keep,
  measure: choice(
    MEASURES,
    'kl: also the KL divergence from the original, and how often both find the same next token; tasks: also the accuracy',
    {
      noun: () => l10n.t('the measure'),
      placeholder: 'what',
      default: 'ppl',
    },
  ),
  maxKl: {
    ...maxKl,
    help: 'also say how many blocks keep the mean KL divergence from the original below this, in nats',
  },
  application: application('its calibration rows choose, its judging rows measure', 'calibration', 'text'),
  text: file('measure on a text instead of the calibration rows', { noun: () => l10n.t('a text') }),
  window: window(`with ${option('text')}: tokens per window`),
  limit: whole(
    `with ${option('text')}: use only the first n windows; with ${option('measure', 'tasks')}: n items of each task`,
    {
      noun: () => l10n.t('number of windows'),
    },
  ),
  data: tasksOf.taskData,
  tasks: tasksOf.tasks,
  own: tasksOf.own,
  ...remove,
  ...width,
  ...healed,
  ...adapter,
  ...scoring,
  precision: floatPrecision,
  ...compute,
};

export const curve = defineJob({
  kind: 'curve',
  summary: 'measure perplexity against the number of removed blocks',
  description:
    'Removes one, two, three … blocks in the order of a criterion and measures the perplexity of each model: ' +
    'the curve shows where the model degrades and where it breaks. Writes no checkpoint.',
  notes: CRITERIA_HELP,
  examples: [
    './SmolLM2-135M --calibration prose.txt --most 12',
    './SmolLM2-135M --scores scores.json --text test.txt --limit 32',
    './SmolLM2-135M --criterion magnitude --calibration prose.txt --json',
    './SmolLM2-135M --calibration prose.txt --measure kl --max-kl 0.5',
    './SmolLM2-135M --calibration prose.txt --most 8 --measure tasks --data ./tasks --tasks piqa,arc_easy --limit 200',
  ],
  noun: () => l10n.t('Measuring the curve'),
  title: (model) => l10n.t('Measuring the curve of {0}', model),
  done: (model) => l10n.t('Measured the curve of {0}', model),
  icon: 'graph-line',
  about: ({ points }) => countedIn(points, 'point'),
  facts: (result) => {
    const points = objects(result.points);
    const last = points.at(-1);
    return [
      ...changeFact(`perplexity, 0 to ${points.length === 0 ? 0 : points.length - 1} blocks`, points[0], last, 'ppl'),
      ...measuredOn(result),
    ];
  },
  options,
  application: (path) => ({ calibration: path, text: path, share: 'calibration' }),
  moved: BLOCKS_ONLY,
  check: (given) =>
    rowsFault(given) ??
    tasksFault(given) ??
    objectiveFault(given.criterion, given) ??
    (given.scores === undefined ? (calibrationFault(given.criterion, given) ?? setFault(given)) : undefined),
  result: curveResult,
});

function rowsFault({ text, calibration: rows }: Complete<typeof options>): Fault | undefined {
  if (text !== undefined || rows !== undefined) return undefined;
  return {
    what: 'There is nothing to measure the perplexity on',
    why: `neither ${option('calibration')} nor ${option('text')} is given`,
    action: `Add ${option('text', 'FILE')}, or ${option('calibration', 'FILE')} to measure on its rows.`,
  };
}

/** Questions and the measure belong together. */
function tasksFault({ measure, data, own, tasks }: Complete<typeof options>): Fault | undefined {
  if (measure === 'tasks' && (data ?? own) === undefined) {
    return {
      what: `${option('measure', 'tasks')} needs questions`,
      why: `neither ${option('tasks.data')} nor ${option('own')} is given`,
      action: `Add ${option('tasks.data', 'DIR')} with the files of the tasks, or ${option('own', 'FILE')} with your own.`,
    };
  }
  if (measure === 'tasks' || (data ?? own ?? tasks) === undefined) return undefined;
  return {
    what: `Tasks belong to ${option('measure', 'tasks')}`,
    why: 'another measure asks nothing',
    action: `${set('measure', 'tasks', 'add')}, or leave them out.`,
  };
}

/** A set has no order, so that a curve of it has two points: nothing removed, and the set. */
function setFault({ criterion: by, most }: Complete<typeof options>): Fault | undefined {
  if (!criterionInfo(by).asSet || most !== undefined) return undefined;
  return {
    what: `The curve of ${by} needs a number of blocks`,
    why: `it finds one set of blocks, and ${option('most')} is not given`,
    action: `${set('most', 6, 'add')}, or another number of blocks.`,
  };
}
