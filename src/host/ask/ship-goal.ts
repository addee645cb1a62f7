/** Questions about what a model must be to ship, and the words for it. */
import * as vscode from 'vscode';
import { messageOf } from '../../engine/errors';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { formatBytes, formatCount } from '../../format/numbers';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { parseBytes } from '../../jobs/values';
import type { ShipGoal } from '../../protocol/journey';
import type { Coppice } from '../coppice';
import type { Chosen } from './choose-checkpoint';
import { exportSize, typeSizes } from './export-sizes';
import { formatChoices, refusalWords } from './format-choices';
import { ask, pick, type PickChoice, type Place, type Step, unlessBack, when } from './steps';
import { recommendedType, STORED, typeChoices } from './type-choices';

/** Answers to the questions. */
export interface GoalAnswers {
  /** In place of all others: the same text, faster. */
  readonly faster?: boolean;
  readonly format?: ExportFormat;
  /** Type of the weights; "stored" keeps those that they have. */
  readonly type?: string;
  /** "120MB"; empty for no limit. */
  readonly size?: string;
  /** Perplexity relative to the original, "1.3"; empty for no limit. */
  readonly perplexity?: string;
  /** Points of repetition above the original's, "10"; empty for no limit. */
  readonly repetition?: string;
  /** Least share of equal next tokens in percent, "80"; empty for no limit. */
  readonly same?: string;
  /** Points that a probe may lose, "10"; empty for no limit. */
  readonly probes?: string;
}

/** "GGUF, q8_0" */
export const formatWords = ({ format, type }: Pick<ShipGoal, 'format' | 'type'>): string =>
  [FORMATS[format].title, type].filter(Boolean).join(', ');

/** "GGUF, q8_0; at most 120 MB; at most 1.3 times the perplexity of the original" */
export function goalWords(goal: ShipGoal): string {
  const { maxBytes, maxRatio, maxRepetition, minSame, maxProbeLoss } = goal;
  const { t } = vscode.l10n;
  return [
    formatWords(goal),
    ...(maxBytes === undefined ? [] : [t('at most {0}', formatBytes(maxBytes))]),
    ...(maxRatio === undefined ? [] : [t('at most {0} times the perplexity of the original', maxRatio)]),
    ...(maxRepetition === undefined ? [] : [t('repetition at most {0} points above it', inPercent(maxRepetition))]),
    ...(minSame === undefined ? [] : [t('at least {0} % same next tokens', inPercent(minSame))]),
    ...(maxProbeLoss === undefined ? [] : [t('at most {0} points lost in a probe', inPercent(maxProbeLoss))]),
  ].join('; ');
}

/** @throws UserError for a size that cannot be read */
export function goalFrom(answers: GoalAnswers): ShipGoal {
  const { format = 'gguf', type, size = '', perplexity = '', repetition = '', same = '', probes = '' } = answers;
  return {
    format,
    ...(type !== undefined && type !== STORED && { type }),
    ...(size.trim() !== '' && { maxBytes: parseBytes(size) }),
    ...(perplexity.trim() !== '' && { maxRatio: Number(perplexity) }),
    ...(repetition.trim() !== '' && { maxRepetition: Number(repetition) / 100 }),
    ...(same.trim() !== '' && { minSame: Number(same) / 100 }),
    ...(probes.trim() !== '' && { maxProbeLoss: Number(probes) / 100 }),
  };
}

/** @param before the present goal, whose values are proposed */
export function goalSteps<S extends GoalAnswers>(
  coppice: Coppice,
  chosen: Chosen,
  before: ShipGoal | undefined,
): Step<S>[] {
  const isSmaller = ({ faster }: GoalAnswers): boolean => faster !== true;
  return [
    formatStep(chosen, before),
    ...[typeStep(chosen, before), sizeStep(coppice, chosen, before), ratioStep(before), moreStep(before)].map((step) =>
      when(isSmaller, step),
    ),
  ] as unknown as Step<S>[];
}

const FASTER = 'faster:';

const formatStep =
  ({ checkpoint }: Chosen, before: ShipGoal | undefined): Step<GoalAnswers> =>
  async (_, place) => {
    const { t } = vscode.l10n;
    const faster: PickChoice<typeof FASTER> = {
      label: t('$(zap) The same text, faster'),
      description: t('removes no block: a draft proposes tokens, and the model checks them'),
      value: FASTER,
    };
    const choices: PickChoice<ExportFormat | typeof FASTER>[] = [...(await formatChoices(checkpoint)), faster];
    const question = t('What does your application load?');
    const chosen = await pick(place, question, choices, before?.format ?? 'gguf');
    return chosen === FASTER ? { faster: true } : { format: chosen };
  };

const typeStep =
  ({ checkpoint }: Chosen, before: ShipGoal | undefined): Step<GoalAnswers> =>
  async ({ format = 'gguf' }, place) => {
    const { t } = vscode.l10n;
    const where = { location: vscode.ProgressLocation.Window, title: t('Planning the sizes of exports') };
    const sizes = await vscode.window.withProgress(where, () => typeSizes(checkpoint, format, []));
    const choices = typeChoices(checkpoint, format, sizes, { refused: refusalWords });
    const active = before?.format === format ? (before.type ?? STORED) : recommendedType(checkpoint, format);
    const question = t('Select the type of the weights. Sizes are those with all blocks');
    return { type: await pick(place, question, choices, active) };
  };

/** What is proposed: about a sixth less than the whole model has, and than it has now. */
const SHARE = 0.85;

const sizeStep =
  (coppice: Coppice, { checkpoint }: Chosen, before: ShipGoal | undefined): Step<GoalAnswers> =>
  async ({ format = 'gguf', type }, place) => {
    const { t } = vscode.l10n;
    const sizes = await typeSizes(checkpoint, format, []);
    const bytes = sizes.find((each) => (each.type ?? STORED) === type)?.bytes ?? 0;
    const now = checkpoint.size.all;
    const large = t('Without pruning: {0}, more than the model has now ({1}).', formatBytes(bytes), formatBytes(now));
    const whole = bytes > now ? large : t('Without pruning: {0}.', formatBytes(bytes));
    const told = [whole, ...(await trimmedWords(coppice, checkpoint, { format, type }))].join(' ');
    for (let value = proposedSize(before?.maxBytes, Math.min(bytes, now)); ;) {
      const prompt = `${t('Maximum size of the exported files.')} ${told} ${t('Leave empty for no limit.')}`;
      const size = await ask(place, { prompt, value, fault: sizeFault });
      const most = size.trim() === '' ? bytes : Math.min(bytes, parseBytes(size));
      if (most <= now || (await wantsLarger(place, most, now))) return { size };
      value = size;
    }
  };

/** What a trimmed vocabulary alone would come to, if its texts were counted. */
async function trimmedWords(
  { records }: Coppice,
  checkpoint: Checkpoint,
  { format, type }: Required<Pick<GoalAnswers, 'format'>> & Pick<GoalAnswers, 'type'>,
): Promise<string[]> {
  const report = records.digests.find(
    ({ model, vocabulary }) => model.identity === checkpoint.identity && vocabulary && vocabulary.written === undefined,
  )?.vocabulary;
  if (!report) return [];
  const { kept, size } = report;
  const shipped = { format, type: type === STORED ? undefined : type, removed: [], tokens: kept };
  const bytes = await exportSize(checkpoint, shipped);
  return [
    vscode.l10n.t(
      'With the {0} of {1} tokens that your texts need: {2}.',
      formatCount(kept),
      formatCount(size),
      formatBytes(bytes),
    ),
  ];
}

/** "4.4MB": in three digits, because a whole megabyte is a quarter of a small model. */
const proposedSize = (before: number | undefined, bytes: number): string =>
  inMegabytes(before ?? Number((SHARE * bytes).toPrecision(3)));

/** A model that is to become smaller and may become larger is asked about. */
async function wantsLarger(place: Place, most: number, now: number): Promise<boolean> {
  const { t } = vscode.l10n;
  const question = t('The limit is {0}, and the model is {1} now', formatBytes(most), formatBytes(now));
  const choices = [
    { label: t('Set Another Limit'), value: false },
    { label: t('Let It Be Larger'), value: true },
  ];
  return (await unlessBack(pick(place, question, choices, false))) === true;
}

const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toString()}MB`;

const ratioStep =
  (before: ShipGoal | undefined): Step<GoalAnswers> =>
  async (_, place) => {
    const perplexity = await ask(place, {
      prompt: vscode.l10n.t(
        'Highest acceptable perplexity, as a multiple of the original’s, such as 1.3. Leave empty for no limit.',
      ),
      value: String(before?.maxRatio ?? 1.3),
      fault: (text) => (text.trim() === '' ? undefined : ratioFault(text)),
    });
    return { perplexity };
  };

/** Limits of a new goal, in points above the original's repetition and in percent of the tokens. */
const USUAL = { repetition: '10', same: '80', probes: '10' } as const;

/** "10" */
const inPercent = (share: number): string => Number((100 * share).toFixed(2)).toString();

/** What a perplexity does not show. A goal of before these limits existed keeps to what it was. */
const moreStep =
  (before: ShipGoal | undefined): Step<GoalAnswers> =>
  async (_, place) => {
    const { t } = vscode.l10n;
    const { maxRepetition, minSame, maxProbeLoss } = before ?? {};
    const lost = maxProbeLoss === undefined ? USUAL.probes : inPercent(maxProbeLoss);
    const points = maxRepetition === undefined ? USUAL.repetition : inPercent(maxRepetition);
    const percent = minSame === undefined ? USUAL.same : inPercent(minSame);
    const repeats = t('It may repeat itself {0} points more than the original', points);
    const choices = [
      { label: repeats, description: t('recommended: a low perplexity can hide it'), value: 'repetition' as const },
      {
        label: t('{0}, and {1} % of the next tokens must be the original’s', repeats, percent),
        description: t('where the answers should stay the same'),
        value: 'both' as const,
      },
      {
        label: t('{0}, and lose {1} points in a probe at most', repeats, lost),
        description: t('copying, recalling, brackets, JSON …: Evaluate Tasks asks them'),
        value: 'probes' as const,
      },
      { label: t('Other numbers…'), value: 'numbers' as const },
      { label: t('Nothing else'), value: 'none' as const },
    ];
    const isOld = before !== undefined && maxRepetition === undefined;
    const hasProbes = maxProbeLoss !== undefined && minSame === undefined;
    const active = hasProbes ? 'probes' : minSame !== undefined ? 'both' : isOld ? 'none' : 'repetition';
    const picked = await pick(place, t('What else must hold?'), choices, active);
    if (picked === 'numbers')
      return askNumbers(place, {
        repetition: points,
        same: minSame === undefined ? '' : percent,
        probes: maxProbeLoss === undefined ? '' : lost,
      });
    return {
      repetition: picked === 'none' ? '' : points,
      same: picked === 'both' ? percent : '',
      probes: picked === 'probes' ? lost : '',
    };
  };

/** Empty ones are no limits. */
async function askNumbers(
  place: Place,
  { repetition: points, same: percent, probes: lost }: Required<Pick<GoalAnswers, 'repetition' | 'same' | 'probes'>>,
): Promise<Pick<GoalAnswers, 'repetition' | 'same' | 'probes'>> {
  const { t } = vscode.l10n;
  const repetition = await ask(place, {
    prompt: t('How many points more than the original may it repeat itself? Leave empty for no limit.'),
    value: points,
    placeholder: t('Points, such as {0}', USUAL.repetition),
    fault: (text) => rangeFault(text, 0),
  });
  const same = await ask(place, {
    prompt: t('How many percent of the next tokens must be the original’s? Leave empty for no limit.'),
    value: percent,
    placeholder: t('Percent, such as {0}', USUAL.same),
    fault: (text) => rangeFault(text, 1),
  });
  const probes = await ask(place, {
    prompt: t('How many points may it lose in a probe? Leave empty for no limit.'),
    value: lost,
    placeholder: t('Points, such as {0}', USUAL.probes),
    fault: (text) => rangeFault(text, 0),
  });
  return { repetition, same, probes };
}

function rangeFault(text: string, least: number): string | undefined {
  if (text.trim() === '' || (Number(text) >= least && Number(text) <= 100)) return undefined;
  return vscode.l10n.t('Enter a number from {0} to 100.', least);
}

/** Why a text is not a size; undefined for a size, and for an empty text. */
export function sizeFault(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    parseBytes(text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** A shorter model is seldom better: a limit below the original's perplexity could never be met. */
export const ratioFault = (text: string): string | undefined =>
  Number(text) >= 1 && Number.isFinite(Number(text))
    ? undefined
    : vscode.l10n.t('Enter a number of at least 1, such as 1.3.');
