/**
 * Runs a criterion on a checkpoint: opens what the criterion needs, and returns its result and the ranking of the
 * blocks.
 */
import { defined } from '../../format/defined';
import { withShare } from '../../format/text-share';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { requireHealable } from '../heal/healable';
import { option } from '../option-token';
import { type Calibration, calibrationWarnings, loadCalibration } from './calibration';
import type { TextFit } from '../../format/text-fit';
import { askedRows, fitWarning, textFit } from './text-fit';
import { normCause, resultWarnings, scoresWarning } from './not-finite';
import { arithmeticOf, isWorthRacing, refusedInt8, SCORE_PRECISIONS } from './arithmetic';
import { type Criterion, criterionInfo, objectiveOf, objectiveSetting } from './criteria';
import type { CriterionModule, CriterionSettings, ScoreStored, ScoringScope, StoredScores } from './criterion';
import { type BlockScore, type CriterionResult, type ModuleScore, type SearchCourse, setOf } from './result';
import type { DeviceReport } from '../onnx/device';
import { requirePrecision } from '../onnx/require-precision';
import type { JobOptions } from '../progress';
import { leftOutBy } from './open-parts';
import { DEFAULT_CONFIDENCE } from './race';
import type { Race } from './raced-sweep';
import { exactCount, type Screening } from './screened-sweep';
import { rankBlocks } from './select';
import type { Ranking } from './ranking';
import { withChanges } from '../weights/overlay';
import { inSpreadRowInt8 } from '../weights/row-int8';
import { withWeights } from '../weights/checkpoint';
import type { TokenRows } from '../model/forward';
import type { RunPrecision } from '../precision';
import type { RunInput } from '../records/record';
import { optionalTokenizer } from '../tokenizer/optional';
import type { Model, ModelOptions } from '../model/model';
import { withModel } from '../model/opened';
import { fullView, stepsOf, type View } from '../model/view';

export interface Scored {
  readonly result: CriterionResult;
  readonly ranking: Ranking;
  /** Undefined when the criterion needs no text. */
  readonly calibration?: Calibration;
  /** Undefined when no session was needed. */
  readonly device?: DeviceReport;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  /** The arithmetic of the numbers; undefined when no session was needed. */
  readonly precision?: RunPrecision;
  /** Warnings about the numbers and the text for the user. */
  readonly warnings: readonly string[];
  /** How well the whole model reads the first rows; undefined without a text, and for another model than the whole. */
  readonly fit?: TextFit;
}

/** With changes to the checkpoint's weights. */
export type Scope = ScoringScope &
  Pick<ModelOptions, 'changes'> & {
    /** False for the later parts of a run in parts: what concerns the whole text is looked at once. */
    readonly isFirstPart?: boolean;
  };

export type Options = CriterionSettings & Omit<ModelOptions, 'changes' | 'precision'>;

/** @throws UserError when the calibration cannot be used or no block remains, CancelledError */
export async function runCriterion(
  checkpoint: Checkpoint,
  criterion: Criterion,
  options: Options,
  job: JobOptions,
  scope: Scope = {},
): Promise<Scored> {
  requireBlocks(scope.view);
  if (criterionInfo(criterion).heals) requireHealable(requireArchitecture(checkpoint));
  const { scoreRows, scoreStored } = await loadCriterion(criterion);
  if (scoreStored) return withoutText(checkpoint, scoreStored, options, job, scope);
  const { seed, budget, generations } = options;
  const objective = objectiveOf(criterion, options.objective);
  const { found, calibration, settings, inputs, warnings, fit } = await withScoredModel(
    checkpoint,
    criterion,
    options,
    job,
    scope,
    async (model, { rows, teacher, screening, race }) => {
      const result = await scoreRows!(
        model,
        rows,
        { ...scope, objective, teacher, seed, budget, generations, screening, race },
        job,
      );
      const view = scope.view ?? fullView(model.architecture.layers.length);
      const broken = [...(await resultWarnings(model, rows, view, result, job)), ...shortRun(criterion, result, scope)];
      return {
        result: { ...result, ...leftOutBy(view, result) },
        broken,
        device: model.device,
        precision: precisionOf(result, model),
      };
    },
  );
  const { result, broken, ...used } = found;
  return {
    result,
    ranking: rankingOf(result),
    calibration,
    ...used,
    inputs,
    settings: { ...settings, ...((result.search ?? result.moduleSearch) && { budget, generations }) },
    seed,
    warnings: [...warnings, ...broken],
    ...(fit && { fit }),
  };
}

/** @throws UserError when no block remains */
export function requireBlocks(view: View | undefined): void {
  if (view === undefined || stepsOf(view).length > 0) return;
  throw new UserError(
    'There is no block to score',
    'all blocks are left out',
    `Leave out fewer with ${option('remove')}.`,
  );
}

/** What a criterion that reads a text works on. */
interface ScoredRows {
  readonly rows: TokenRows;
  readonly teacher?: Model;
  readonly screening?: Screening;
  readonly race?: Race;
}

/** What `use` found, and what the record says of the text. */
interface WithText<T> extends Pick<Scored, 'inputs' | 'settings' | 'warnings' | 'fit'> {
  readonly found: T;
  readonly calibration: Calibration;
}

/**
 * Reads the text, opens the model in the precision that the options ask for, and passes both on.
 * @throws UserError when the calibration cannot be used, CancelledError
 */
export async function withScoredModel<T>(
  checkpoint: Checkpoint,
  criterion: Criterion,
  options: Options,
  job: JobOptions,
  scope: Scope,
  use: (model: Model, given: ScoredRows) => Promise<T>,
): Promise<WithText<T>> {
  const { samples, length, seed, share, bos } = options;
  const { vocabulary, context, bosTokenId } = requireArchitecture(checkpoint);
  const tokenizer = await optionalTokenizer(checkpoint.home, job);
  const drawing = { samples, length, seed, share, vocabulary, bos, bosTokenId };
  const calibration = await loadCalibration(options.calibration!, drawing, tokenizer);
  const objective = objectiveOf(criterion, options.objective);
  const { rows } = calibration;
  const run = (opened: Model, teacher?: Model): Promise<T> =>
    inArithmetic(opened, criterion, { options, scope, rows }, (model, { screening, race }) =>
      use(model, { rows, teacher, screening, race }),
    );
  const { device: choice, threads, memory, hooks } = options;
  const { changes = [] } = scope;
  // int8 is a second source over the float32 of the model.
  const precision = options.precision === 'float16' || options.precision === 'bfloat16' ? options.precision : undefined;
  const compute = { device: choice, threads, memory, hooks, precision };
  const isChanged = changes.length > 0;
  const asked = askedRows(bos, calibration.bos, { tokenizer, bosTokenId });
  const { found, fit } = await withModel(checkpoint, { ...compute, changes }, async (model) => {
    const first = isOfWhole(scope, model) && scope.isFirstPart !== false;
    const read = first ? await textFit(model, rows, asked.id, job) : undefined;
    // The teacher is what the model was before its weights changed.
    const hasTeacher = isChanged && objective === 'kl';
    const scored = hasTeacher ? withModel(checkpoint, compute, (teacher) => run(model, teacher)) : run(model);
    return { found: await scored, fit: read };
  });
  const fitted = fitWarning(fit, asked);
  return {
    found,
    calibration,
    inputs: [
      { role: 'calibration', name: calibration.source, sha256: calibration.sha256, ...withShare(calibration.share) },
    ],
    settings: { calibration: withoutRows(calibration), ...objectiveSetting(criterion, objective) },
    ...(fit && { fit }),
    warnings: [...calibrationWarnings(calibration, options, context), ...(fitted === undefined ? [] : [fitted])],
  };
}

/** Whether all of the model is scored as it is stored. */
const isOfWhole = ({ view, changes = [] }: Scope, { architecture }: Model): boolean =>
  changes.length === 0 &&
  (view === undefined || stepsOf(view, true).length === stepsOf(fullView(architecture.layers.length), true).length);

/** Passes the model on in the precision that the options ask for, with a screen and a race if there are to be. */
async function inArithmetic<T>(
  model: Model,
  criterion: Criterion,
  { options, scope, rows }: { readonly options: Options; readonly scope: Scope; readonly rows: TokenRows },
  use: (model: Model, given: Pick<ScoredRows, 'screening' | 'race'>) => Promise<T>,
): Promise<T> {
  const { architecture } = model;
  const { view = fullView(architecture.layers.length), count, kept, granularity, exact, isExactAsked } = scope;
  const steps = stepsOf(view, granularity === 'module');
  const candidates = steps.filter(({ block }) => !kept?.has(block)).length;
  await requirePrecision(options.precision ?? 'float32', model.device, SCORE_PRECISIONS);
  const task = {
    criterion,
    architecture,
    rows: { rows: rows.length, length: rows[0].length },
    provider: model.device.provider,
    parts: steps.length,
    candidates,
    exact: criterionInfo(criterion).inTurn ? 1 : Math.min(exactCount(steps.length, { exact }), candidates),
    isAsked: isExactAsked,
    scope: { count, kept, objective: objectiveOf(criterion, options.objective) },
  };
  const arithmetic = arithmeticOf(options.precision ?? 'float32', task);
  const { confidence = DEFAULT_CONFIDENCE } = options;
  const isRaced = options.race && (options.confidence !== undefined || isWorthRacing(task, model.canHoldSessions));
  const race = isRaced ? { race: { confidence, exact, kept } } : {};
  // Modules that go in turn are chosen by what they add for their size, which a screen does not bound.
  const isUnscreened = granularity === 'module' && criterionInfo(criterion).inTurn;
  if (arithmetic === 'as opened' || (arithmetic === 'screened' && isUnscreened)) return use(model, race);
  const weights = await inSpreadRowInt8(model.weights, model.threads);
  if (!weights && arithmetic === 'screened') return use(model, race);
  if (!weights) throw refusedInt8(criterion, 'this processor computes products of 8-bit integers wrongly');
  const rounded = model.beside(weights);
  try {
    if (arithmetic === 'int8') return await use(rounded, race);
    return await use(model, { ...race, screening: { model: rounded, exact, kept } });
  } finally {
    await rounded.close();
  }
}

/** Of the numbers of a result. */
function precisionOf({ blocks, modules }: CriterionResult, { precision }: Model): RunPrecision {
  const scored: readonly Pick<BlockScore, 'precision'>[] = blocks ?? modules ?? [];
  return scored.some((score) => (score.precision ?? precision) !== precision) ? 'mixed' : precision;
}

/** Criteria that read the stored weights, or nothing. */
async function withoutText(
  checkpoint: Checkpoint,
  score: ScoreStored,
  { norm, reduction }: Options,
  job: JobOptions,
  { view, changes = [] }: Scope,
): Promise<Scored> {
  const {
    blocks: all,
    settings,
    tensors,
  } = await withWeights(checkpoint, (weights) => score(withChanges(weights, changes), { norm, reduction }, job));
  const blocks = all.filter(({ index }) => view === undefined || view.attention[index] || view.ffn[index]);
  const order = rankBlocks(blocks.map((block) => block.score)).map((i) => blocks[i].index);
  const result = { blocks, order };
  return { result, ranking: rankingOf(result), inputs: [], settings, warnings: storedWarnings(result, tensors) };
}

/** The code of a criterion: the file of its name. The list has no code, so that showing it loads nothing that computes. */
export async function loadCriterion(criterion: Criterion): Promise<CriterionModule> {
  return (await import(`./criteria/${criterion}.ts`)) as CriterionModule;
}

/** Warns when a criterion that chooses blocks found too few to remove, or had too little time. */
function shortRun(criterion: Criterion, result: CriterionResult, { count = 0, maxKl }: Scope): string[] {
  const { removals, search, energy, moduleSearch, cost } = result;
  const found = (removals ?? moduleSearch?.removed ?? setOf({ search, energy })?.blocks)?.length;
  if (found === undefined) return [];
  if (found === 0 && maxKl !== undefined)
    return [`${criterion} removes nothing: without any part, KL divergence is above the limit`];
  if (found === 0) return [`${criterion} removes nothing: every block is kept`];
  if (cost !== undefined) return moduleSearch ? shortSearch(moduleSearch, 'parts') : [];
  const fewer = found < count ? [`${criterion} removes ${found} of ${count} blocks: the other blocks are kept`] : [];
  return search ? [...fewer, ...shortSearch(search, 'blocks')] : fewer;
}

/** Warns when a search was cancelled, or had no time for a generation. */
function shortSearch({ trajectory, ended }: SearchCourse, what: 'blocks' | 'parts'): string[] {
  const generations = trajectory.length - 1;
  const which = generations === 0 ? 'those of the greedy start' : 'the best so far';
  if (ended === 'cancelled')
    return [`the search was cancelled after ${counted(generations, 'generation')}: its ${what} are ${which}`];
  if (generations > 0 || ended !== 'time') return [];
  return [
    `the time was too short for one generation, so the ${what} are ${which}: raise ${option('budget')}, or lower ${option('samples')}`,
  ];
}

/** Names the tensor whose score breaks that of its block. */
function storedWarnings(result: CriterionResult, tensors: StoredScores['tensors'] = []): string[] {
  const warning = scoresWarning(result);
  const tensor = tensors.find(({ score }) => !Number.isFinite(score));
  return warning === undefined ? [] : [tensor ? `${warning}: ${normCause(tensor.name)}` : warning];
}

function rankingOf({ full, blocks, windows, removals, search, energy }: CriterionResult): Ranking {
  const baseline = full && { baseline: full.meanNll };
  if (windows) return { kind: 'windows', windows, ...baseline };
  if (removals) {
    // Single modules rank no blocks.
    if (removals.some(({ part }) => part !== undefined)) return { kind: 'scores', scores: [], ...baseline };
    const losses = removals.map(({ meanNll, kl }) => kl ?? meanNll);
    return { kind: 'removals', removals: removals.map(({ block }) => block), losses, ...baseline };
  }
  const set = setOf({ search, energy });
  if (set) return { kind: 'set', set: set.blocks, kl: set.kl, ...baseline };
  return { kind: 'scores', scores: (blocks ?? []).map(({ score }) => score), ...baseline };
}

/** A copy without the field `rows` (token ids or losses of single rows), which is too long to print, and without warnings. */
export function withoutRows<T extends { readonly rows?: unknown; readonly told?: unknown }>(
  value: T,
): Omit<T, 'rows' | 'told'> {
  const copy: Partial<{ -readonly [Key in keyof T]: T[Key] }> = { ...value };
  delete copy.rows;
  delete copy.told;
  return copy as Omit<T, 'rows' | 'told'>;
}

/** CriterionResult, in the form for output. */
export interface ResultSummary extends Omit<CriterionResult, 'full' | 'blocks' | 'modules'> {
  /** Null if it was not measured. */
  readonly full: Omit<NonNullable<CriterionResult['full']>, 'rows'> | null;
  readonly blocks?: readonly Omit<BlockScore, 'rows'>[];
  readonly modules?: readonly Omit<ModuleScore, 'rows'>[];
}

/** CriterionResult without the losses of single rows. */
export function resultSummary({ full, blocks, modules, ...rest }: CriterionResult): ResultSummary {
  type Numbers = Omit<BlockScore, 'index' | 'rows'>;
  const numbers = ({ score, ppl, meanNll, kl, precision, margin, readRows, ...intervals }: Numbers): Numbers => {
    if (ppl === undefined) return { score };
    const { low, high, pairedLow, pairedHigh, jointLow, jointHigh } = intervals;
    return {
      ...{
        score,
        ppl,
        meanNll,
        ...(kl !== undefined && { kl }),
        ...(low !== undefined && { low, high }),
        pairedLow,
        pairedHigh,
        jointLow,
        jointHigh,
      },
      ...defined({ precision, margin, readRows }),
    };
  };
  return {
    full: full
      ? { ppl: full.ppl, meanNll: full.meanNll, ...(full.kl !== undefined && { kl: full.kl }), tokens: full.tokens }
      : null,
    ...(blocks && { blocks: blocks.map((block) => ({ index: block.index, ...numbers(block) })) }),
    ...(modules && {
      modules: modules.map((module) => ({ block: module.block, part: module.part, ...numbers(module) })),
    }),
    ...rest,
  };
}
