/** The steps of a new recipe, from the choices that were made. Pure. */
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { QUESTIONS } from '../../format/probes';
import { VOCABULARY_LIMITS } from '../../format/vocabularies';
import { HEAL_FIRST } from '../../jobs/heals-first';
import type { Entry } from './layout';
import { TIMED } from './minutes';

/** What the steps are made from. */
export interface Outline {
  readonly removes: number;
  /** Whether the first four blocks and the last two take part. */
  readonly ends: boolean;
  /** Whether its family can be healed in closed form. */
  readonly healable: boolean;
  /** Whether all steps read the application's text, each its own rows. */
  readonly application: boolean;
  /** Whether the calibration file has rows of ids, of which all are taken. */
  readonly hasRows: boolean;
  /** Whether one file is all there is: its beginning chooses, its rest judges. */
  readonly split: boolean;
  /** Whether there is a text to measure on besides the calibration text. */
  readonly hasText: boolean;
  readonly hasTasks: boolean;
  readonly hasData: boolean;
  /** One step heals and trains for a given time, taught by the original, at this learning rate; undefined without a time. */
  readonly timed?: { readonly rate: number; readonly keep: readonly number[] };
  /** Whether the data are the one text, of which a part judges. */
  readonly dataIsText: boolean;
  /** The vocabulary is trimmed first: to these texts, or to the application's, at this path; undefined without that. */
  readonly trimmed?: {
    readonly texts: readonly string[] | undefined;
    /** Its other options. */
    readonly more: readonly Entry[];
    readonly out: string;
  };
  readonly format: ExportFormat;
  readonly type?: string;
  /** An importance matrix of the exported model guides the rounding. */
  readonly weighed: boolean;
  /**
   * Where the file of healed weights goes. Set for a GGUF file that becomes a GGUF file again: it is exported itself, with what
   * was found, so that what has not changed is copied, and no model in float32 lies between.
   */
  readonly patch?: string;
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

/** Each job takes its own rows of it. */
const APPLICATION = entry('application', '${application}');

/** The steps in their order. */
export function stepsOf(outline: Outline): Entry[] {
  const last = lastModel(outline);
  // Where no step reads what ships, the model that is written is measured.
  const judged = FORMATS[outline.format].isCheckpoint ? '${steps.shipped}' : (last?.[0].value as string | undefined);
  return [
    ...(outline.trimmed ? [trimStep(outline.trimmed)] : []),
    ...(last === undefined ? [] : shorteningSteps(outline)),
    exportStep(outline, last ?? []),
    entry('before', step('eval', measured(outline)), 'The original, to compare with.'),
    speedStep(judged),
    ...(judged && writesTexts(outline)
      ? [
          entry('sampleBefore', step('generate', SAMPLE), 'A text of each.'),
          entry('sample', step('generate', [entry('checkpoint', judged), ...SAMPLE])),
        ]
      : []),
    ...(judged && writesTexts(outline) && !asksProbes(outline)
      ? [{ ...probesStep(judged, QUESTIONS), off: true }]
      : []),
    // Limits come last: when one is broken, all that says why is there.
    ...(judged ? [qualityStep(outline, judged)] : []),
    ...(judged && asksProbes(outline) ? [probesStep(judged, '${questions}')] : []),
    ...(outline.hasTasks ? [tasksStep(judged)] : []),
  ];
}

/** Rows of ids are for models without a tokenizer; where nothing but the original can write, there is nothing to compare. */
export const writesTexts = ({ removes, format, hasRows, hasText }: Outline): boolean =>
  (removes > 0 || FORMATS[format].isCheckpoint) && (!hasRows || hasText);

/** Who trains for a given time wants to know what that did not bring back; in a short recipe probes would take most of the time. */
export const asksProbes = (outline: Outline): boolean => outline.timed !== undefined && writesTexts(outline);

const SAMPLE = [entry('prompt', '${prompt}'), entry('maxNewTokens', 48)];

/** The options that name the model that is exported; undefined if nothing is removed. */
function lastModel({ removes, healable, hasData, timed, patch }: Outline): readonly Entry[] | undefined {
  if (removes === 0) return undefined;
  const trains = !healable || hasData || timed;
  // The folder of such an adapter has the healed weights too.
  if (timed && patch !== undefined) return [entry('adapter', '${steps.retrained}')];
  if (patch === undefined) return [entry('checkpoint', `\${steps.${trains ? 'retrained' : 'healed'}}`)];
  // Healed weights and an adapter say themselves which blocks they were found without.
  return [
    ...(healable ? [entry('heal', '${steps.healed}')] : []),
    ...(trains ? [entry('adapter', '${steps.retrained}')] : []),
  ];
}

/** The model that steps work on, where it is not the recipe's. */
const subject = ({ trimmed }: Pick<Outline, 'trimmed'>): Entry[] =>
  trimmed ? [entry('checkpoint', '${steps.trimmed}')] : [];

/** What others are compared with, token by token. */
const original = ({ trimmed }: Pick<Outline, 'trimmed'>): string => (trimmed ? '${steps.trimmed}' : '${model}');

const trimStep = ({ texts, more, out }: NonNullable<Outline['trimmed']>): Entry =>
  entry(
    'trimmed',
    step('vocabulary', [
      texts === undefined ? APPLICATION : entry('texts', [...texts]),
      ...more,
      ...(more.some(({ name }) => name === 'maxBitsGrowth')
        ? []
        : [
            off(
              'maxBitsGrowth',
              VOCABULARY_LIMITS.bitsGrowth,
              'The run fails above it: how many more bits a byte of other text may take.',
            ),
          ]),
      entry('out', out),
    ]),
    'Only the tokens that the texts use stay. All that follows works on this model.',
  );

function shorteningSteps(outline: Outline): Entry[] {
  const { ends, application, hasRows, healable, hasData, split, timed } = outline;
  const scoring = [
    ...subject(outline),
    ...(timed
      ? [
          entry('criterion', 'energy'),
          entry('count', '${count}'),
          ...(timed.keep.length > 0
            ? [entry('keep', [...timed.keep], 'The first four blocks and the last two stay.')]
            : []),
        ]
      : [entry('criterion', 'ppl')]),
    ...(application ? [APPLICATION] : [entry('calibration', '${calibration}')]),
    ...(split ? [entry('share', 'choose', 'The beginning of the text chooses, and its rest judges.')] : []),
    ...(hasRows ? [] : [entry('samples', '${samples}')]),
  ];
  const choosing = [
    ...subject(outline),
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
      timed
        ? 'The set that is best by single blocks and pairs, and by what healing leaves of the best few.'
        : 'How much each block matters: the perplexity without it. Others: `coppice score --help`.',
    ),
    // No step reads the shorter model itself, so it is not written.
    entry('chosen', step('prune', [...choosing, entry('dryRun', true)]), 'The blocks that matter least.'),
    ...(timed
      ? [timedStep(outline, timed.rate)]
      : [...(healable ? [healStep(outline)] : []), ...(!healable || hasData ? [retrainStep(outline)] : [])]),
  ];
}

function healStep(outline: Outline): Entry {
  const { application, patch } = outline;
  const options = [
    ...subject(outline),
    entry('remove', '${steps.chosen.removed}'),
    application
      ? APPLICATION
      : entry('data', ['self'], '"self": the original writes the text. Or files: ["data/prose.txt"].'),
    entry('tokens', '${tokens}'),
    ...(patch === undefined ? [] : [entry('patch', patch)]),
  ];
  return entry('healed', step('heal', options), 'The other blocks, corrected by least squares. It needs no training.');
}

function retrainStep(outline: Outline): Entry {
  const { application, healable, hasData, dataIsText, patch } = outline;
  const merges = patch === undefined;
  const healed = entry(merges ? 'checkpoint' : 'heal', '${steps.healed}');
  const from = [
    ...(healable && merges ? [] : subject(outline)),
    healable ? healed : entry('remove', '${steps.chosen.removed}'),
  ];
  const data = application
    ? [APPLICATION]
    : hasData
      ? [entry('data', ['${data}']), ...(dataIsText ? [entry('share', 'choose')] : [])]
      : [
          entry(
            'data',
            ['self'],
            '"self": the original writes the text. Your own data are better: ["data/train.jsonl"].',
          ),
          entry('selfTokens', '${selfTokens}'),
        ];
  const options = [
    ...from,
    ...data,
    // What is commented out stands before the last value: then no comma is one too many, with or without it.
    ...(merges ? [entry('steps', '${trainingSteps}')] : []),
    off('teacher', original(outline), 'A little better, and slower: follow the original.'),
    merges ? entry('merge', true) : entry('steps', '${trainingSteps}'),
  ];
  const trained = healable
    ? 'Trained on your data (LoRA)'
    : 'This family cannot be corrected by least squares, so a LoRA is trained';
  const why = `${trained}${merges ? ', and merged' : ''}.`;
  return entry('retrained', step('retrain', options), why);
}

/** Heals and trains for a given time. */
function timedStep(outline: Outline, rate: number): Entry {
  const { application, healable, hasData, dataIsText, patch } = outline;
  const own = [
    entry('data', ['self'], '"self": the original writes the text. Your own data can be better: ["data/train.jsonl"].'),
    entry('selfTokens', '${selfTokens}'),
  ];
  const data = hasData ? [entry('data', ['${data}']), ...(dataIsText ? [entry('share', 'choose')] : [])] : own;
  const options = [
    ...subject(outline),
    entry('remove', '${steps.chosen.removed}'),
    ...(healable ? [entry('heal', HEAL_FIRST)] : []),
    ...(application ? [APPLICATION] : data),
    entry('teacher', original(outline)),
    entry('length', TIMED.length),
    entry('batch', TIMED.batch),
    entry('lr', rate),
    entry('steps', '${trainingSteps}'),
    ...(patch === undefined ? [entry('merge', true)] : []),
  ];
  const healed = healable ? 'The other blocks, corrected by least squares, and trained' : 'The other blocks, trained';
  return entry('retrained', step('retrain', options), `${healed} to predict what the original predicts.`);
}

/** What quality is measured on. */
function measured({ application, hasText, hasRows }: Outline): Entry[] {
  if (application) return [APPLICATION, entry('limit', '${windows}')];
  if (hasText) return [entry('text', '${text}'), entry('limit', '${windows}')];
  const judge = entry('share', 'judge');
  if (hasRows) return [entry('calibration', '${calibration}'), judge];
  return [entry('text', '${calibration}'), judge, entry('limit', '${windows}')];
}

function qualityStep(outline: Outline, judged: string): Entry {
  const options = [
    entry('checkpoint', judged),
    entry('against', original(outline)),
    ...measured(outline),
    entry('repetition', 8),
  ];
  const limits = entry('limits', [
    off('maxPpl', 60, 'Limits: the run fails above them. Fill in what you accept after the first run.'),
    off('maxKl', 0.3),
    off('minSame', 0.8),
    off('maxRepetition', 0.1),
  ]);
  return entry(
    'quality',
    step('eval', options, [limits]),
    FORMATS[outline.format].isCheckpoint ? 'The quality of what ships.' : 'The quality of the model that is written.',
  );
}

/** The original and what is judged, for jobs over several models. */
const bothModels = (judged: string | undefined): Entry =>
  entry('checkpoints', ['${model}', ...(judged === undefined ? [] : [judged])]);

function tasksStep(judged: string | undefined): Entry {
  const options = [bothModels(judged), entry('data', '${tasks}'), entry('limit', '${items}')];
  const limits = entry('limits', [off('minAccuracy', 0.4)]);
  return entry('tasks', step('tasks', options, [limits]), 'Accuracy, on the same questions.');
}

function probesStep(judged: string, questions: number | string): Entry {
  const options = [bothModels(judged), entry('probes', ['all']), entry('limit', questions)];
  const limits = entry('limits', [off('maxProbeLoss', 0.1)]);
  const why =
    'What broke, which a perplexity does not show: copying, recalling, brackets, sums, JSON, formats, endings.';
  return entry('probes', step('tasks', options, [limits]), why);
}

/** Models that take turns can be compared, also on a machine that does other things too. */
function speedStep(judged: string | undefined): Entry {
  const options = [
    bothModels(judged),
    entry('batch', [1]),
    entry('newTokens', [64]),
    entry('promptTokens', 64),
    entry('runs', '${runs}'),
  ];
  return entry('speed', step('grid', options), 'How fast both write, in turns.');
}

/** What measures the importance of columns: rows like those that choose the blocks. */
function importanceOf(outline: Outline): Entry[] {
  const { application, hasRows, split } = outline;
  const auto = entry('imatrix', 'auto', 'Columns that the text uses much are rounded less. It costs one pass.');
  // The rows of the application that judge are measured too, on the file itself.
  if (application) return [auto, ...measured(outline)];
  return [
    auto,
    entry('calibration', '${calibration}'),
    ...(split ? [entry('share', 'choose')] : []),
    ...(hasRows ? [] : [entry('samples', '${samples}')]),
  ];
}

function exportStep(outline: Outline, last: readonly Entry[]): Entry {
  const { format, type, out, maxBytes, hasRows, weighed } = outline;
  // Where no step reads its files, the export measures them itself.
  const measures = !FORMATS[format].isCheckpoint && !hasRows;
  const options = [
    ...(last.some(({ name }) => name === 'checkpoint') ? [] : subject(outline)),
    ...last,
    entry('format', format),
    ...(type === undefined ? [] : [entry('type', [type])]),
    ...(weighed ? importanceOf(outline) : []),
    entry('out', out),
    ...(measures ? measured(outline) : []),
  ];
  const limits = maxBytes === undefined ? [] : [entry('limits', [entry('maxBytes', maxBytes)])];
  return entry(
    'shipped',
    step('export', options, limits),
    'What ships. It is opened again and compared with the model.',
  );
}
