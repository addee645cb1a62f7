/** The steps of a new recipe, from the choices that were made. Pure. */
import type { ExportFormat } from '../../jobs/definitions/export';
import type { Entry } from './layout';

/** What the steps are made from. */
export interface Outline {
  readonly removes: number;
  /** Whether the first four blocks and the last two take part. */
  readonly ends: boolean;
  /** Whether its family can be healed in closed form. */
  readonly healable: boolean;
  /** Whether the calibration file has rows of ids, of which all are taken. */
  readonly hasRows: boolean;
  /** Whether there is a text to measure on besides the calibration text. */
  readonly hasText: boolean;
  readonly hasTasks: boolean;
  readonly hasData: boolean;
  readonly format: ExportFormat;
  readonly type?: string;
  /** The path of the exported file or folder. */
  readonly out: string;
  /** The files must not have more; undefined without a goal in bytes. */
  readonly maxBytes?: number;
}

const entry = (name: string, value: Entry['value'], ...comment: string[]): Entry => ({
  name,
  value,
  ...(comment.length > 0 && { comment }),
});

const off = (name: string, value: Entry['value'], ...comment: string[]): Entry => ({
  ...entry(name, value, ...comment),
  off: true,
});

const step = (job: string, options: readonly Entry[], more: readonly Entry[] = []): Entry[] => [
  entry('job', job),
  ...(options.length > 0 ? [entry('options', options)] : []),
  ...more,
];

/** The steps in their order. */
export function stepsOf(outline: Outline): Entry[] {
  const last = lastModel(outline);
  const shorter = last !== undefined;
  return [
    ...(shorter ? shorteningSteps(outline) : []),
    entry('before', step('eval', measured(outline)), 'The quality of the whole model, to compare with.'),
    ...(shorter ? [qualityStep(outline, last)] : []),
    ...(outline.hasTasks ? [tasksStep(last)] : []),
    entry('speedBefore', step('bench', [])),
    ...(shorter ? [entry('speed', step('bench', [entry('checkpoint', last)]))] : []),
    exportStep(outline, last),
  ];
}

/** What `${…}` names the model that ships; undefined if nothing is removed. */
function lastModel({ removes, healable, hasData }: Outline): string | undefined {
  if (removes === 0) return undefined;
  return `\${steps.${!healable || hasData ? 'retrained' : 'healed'}}`;
}

function shorteningSteps(outline: Outline): Entry[] {
  const { ends, hasRows, healable, hasData } = outline;
  const scoring = [
    entry('criterion', 'ppl'),
    entry('calibration', '${calibration}'),
    ...(hasRows ? [] : [entry('samples', '${samples}')]),
  ];
  const choosing = [
    entry('scores', '${steps.scores}'),
    entry('count', '${count}'),
    ...(ends
      ? [entry('keepEnds', false, 'The model has few blocks, so the first four and the last two may go too.')]
      : []),
  ];
  return [
    entry(
      'scores',
      step('score', scoring),
      'How much each block matters: the perplexity without it. Others: `coppice score --help`.',
    ),
    entry('pruned', step('prune', choosing), 'The model without the blocks that matter least.'),
    ...(healable ? [healStep()] : []),
    ...(!healable || hasData ? [retrainStep(outline)] : []),
  ];
}

function healStep(): Entry {
  const options = [
    entry('remove', '${steps.pruned.removed}'),
    entry('data', ['self'], '"self": the whole model writes the text. Or files: ["data/prose.txt"].'),
    entry('tokens', '${tokens}'),
  ];
  return entry('healed', step('heal', options), 'The other blocks, corrected by least squares. It needs no training.');
}

function retrainStep({ healable, hasData }: Outline): Entry {
  const from = healable ? [entry('checkpoint', '${steps.healed}')] : [entry('remove', '${steps.pruned.removed}')];
  const data = hasData
    ? [entry('data', ['${data}'])]
    : [
        entry(
          'data',
          ['self'],
          '"self": the whole model writes the text. Your own data are better: ["data/train.jsonl"].',
        ),
      ];
  const options = [
    ...from,
    ...data,
    entry('steps', '${trainingSteps}'),
    // What is commented out stands before the last value: then no comma is one too many, with or without it.
    off('teacher', '${model}', 'A little better, and slower: follow the whole model.'),
    entry('merge', true),
  ];
  const why = healable
    ? 'Trained on your data (LoRA), and merged.'
    : 'This family cannot be corrected by least squares, so a LoRA is trained, and merged.';
  return entry('retrained', step('retrain', options), why);
}

/** What quality is measured on. */
function measured({ hasText, hasRows }: Outline): Entry[] {
  if (hasText) return [entry('text', '${text}'), entry('limit', '${windows}')];
  return [
    entry('calibration', '${calibration}'),
    ...(hasRows ? [] : [entry('samples', '${rows}'), entry('seed', OTHER_SEED)]),
  ];
}

/** Not the default one, by which the rows of the scores are drawn. */
const OTHER_SEED = 7;

function qualityStep(outline: Outline, last: string): Entry {
  const options = [entry('checkpoint', last), entry('against', '${model}'), ...measured(outline)];
  const limits = entry('limits', [
    off('maxPpl', 60, 'Gates: the run fails above them. Fill in what you accept after the first run.'),
    off('maxKl', 0.3),
  ]);
  return entry('quality', step('eval', options, [limits]), 'The quality of the model that ships.');
}

function tasksStep(last: string | undefined): Entry {
  const options = [
    entry('checkpoints', ['${model}', ...(last === undefined ? [] : [last])]),
    entry('data', '${tasks}'),
    entry('limit', '${items}'),
  ];
  const limits = entry('limits', [off('minAccuracy', 0.4)]);
  return entry('tasks', step('tasks', options, [limits]), 'Accuracy, on the same questions.');
}

function exportStep(outline: Outline, last: string | undefined): Entry {
  const { format, type, out, maxBytes, hasText } = outline;
  const options = [
    ...(last === undefined ? [] : [entry('checkpoint', last)]),
    entry('format', format),
    ...(type === undefined ? [] : [entry('type', [type])]),
    entry('out', out),
    ...(hasText && type !== undefined ? [entry('text', '${text}'), entry('limit', '${windows}')] : []),
  ];
  const limits = maxBytes === undefined ? [] : [entry('limits', [entry('maxBytes', maxBytes)])];
  return entry(
    'shipped',
    step('export', options, limits),
    'What ships. It is opened again and compared with the model.',
  );
}
