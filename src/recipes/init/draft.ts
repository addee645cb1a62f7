/** Drafts a recipe for a model: reads its headers, chooses sizes and steps, and writes them down with comments. */
import { dirname, resolve } from 'node:path';
import { readApplication } from '../../engine/application/read';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { isGgufCheckpoint, isQuantizedGguf } from '../../engine/checkpoint/gguf/name';
import { otherKindIn } from '../../engine/checkpoint/kinds/parts';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { layerParameters, parametersReadOf } from '../../engine/checkpoint/parameters';
import { blockBytes } from '../../engine/checkpoint/reduction';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { CancelledError, UserError } from '../../engine/errors';
import { healable } from '../../engine/heal/healable';
import { DEFAULTS } from '../../engine/retrain/defaults';
import { DEFAULT_DRAWING } from '../../engine/importance/drawing';
import { finerNote } from '../../engine/write/gguf/finer';
import { usesImportance } from '../../engine/write/gguf/kinds';
import type { JobOptions } from '../../engine/progress';
import { formatFactor } from '../../format/numbers';
import { QUESTIONS } from '../../format/probes';
import { counted } from '../../format/words';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { markedTime } from '../../estimates/words';
import { HEAL_TOKENS } from '../../jobs/healing-amounts';
import { rateFor } from '../../jobs/retrain-amounts';
import { timedTraining } from './timed';
import { TIMED } from './minutes';
import { checkpointName } from '../../jobs/titles';
import type { Json } from '../recipe';
import { RECIPE_VERSION } from '../recipe';
import { literal } from '../references';
import { type Chosen, countOfShare, countOfSpeed, fitting, needsEnds, smallest } from './choose';
import { type Entry, layOut } from './layout';
import { CALIBRATION, type Drafting, type FoundTexts, notesOf, place, QUICK_COUNT, warningsOf } from './notes';
import { keptType, writtenBytes, writtenSize, type WrittenSize } from '../../estimates/written-bytes';
import { asksProbes, type Outline, stepsOf, writesTexts } from './steps';
import { type TextsNearby, textsNear } from './texts';
import { trimmedStep } from './trimmed';
import { type DraftedRecipe, type Goal, type RecipeWish, USUAL_GOAL } from './wish';

/**
 * @param path of the checkpoint
 * @throws UserError for a checkpoint that cannot be computed with, or a goal that it cannot reach; CancelledError
 */
export async function draftRecipe(path: string, wish: RecipeWish, job: JobOptions = {}): Promise<DraftedRecipe> {
  const model = await openCheckpoint(path);
  // Sizes are those of the model that the steps work on.
  const checkpoint = wish.trimmed?.checkpoint === undefined ? model : await openCheckpoint(wish.trimmed.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  const { goal = USUAL_GOAL } = wish;
  const { format, notes } = await formatFor(checkpoint, wish.format, goal);
  checkType(format, wish.type);
  const choosing = { format, type: wish.type, trains: trainsOn(wish), job };
  const counted = wish.trimmed && wish.trimmed.checkpoint === undefined ? { tokens: wish.trimmed.kept } : {};
  const chosen = await choose(checkpoint, goal, { ...choosing, ...counted });
  const { finer } = await shippedSize(checkpoint, chosen.removes, { ...choosing, type: chosen.type });
  const home = dirname(resolve(wish.file));
  const texts = await textsFor(wish, home, model);
  const application = wish.application === undefined ? undefined : await readApplication(wish.application, job);
  const isTimed = wish.minutes !== undefined && chosen.removes > 0;
  const timed = isTimed ? await timedTraining(checkpoint, wish, { count: chosen.removes, texts, job }) : undefined;
  const outline = outlineOf(checkpoint, { wish, goal, format, chosen, texts, timed, model, home });
  const untrimmed = wish.trimmed && (await choose(model, goal, choosing).catch(unreachable));
  const drafting: Drafting = {
    checkpoint,
    model,
    untrimmed,
    wish,
    goal,
    format,
    chosen,
    home,
    texts,
    outline,
    application,
    timed,
  };
  return {
    text: layOut(recipeEntries(drafting)),
    goal,
    format,
    type: chosen.type ?? null,
    removes: chosen.removes,
    blocks: architecture.layers.length,
    expectedBytes: chosen.bytes,
    modelBytes: model.size.all,
    notes: [...notes, ...notesOf(drafting), ...(finer ? [`In them, ${finerNote(finer)}.`] : [])],
    warnings: warningsOf(drafting),
  };
}

/** A goal that is out of reach without a smaller vocabulary is no fault. */
function unreachable(error: unknown): undefined {
  if (error instanceof UserError && !(error instanceof CancelledError)) return undefined;
  throw error;
}

/** GGUF where the model can be written so. */
async function formatFor(
  checkpoint: Checkpoint,
  wanted: ExportFormat | undefined,
  goal: Goal,
): Promise<{ readonly format: ExportFormat; readonly notes: readonly string[] }> {
  if (wanted !== undefined) return { format: wanted, notes: [] };
  // llama.cpp tells some blocks of some families apart by their number, so that a model may be fine whole and not shorter.
  const removed = goal.kind === 'fit' ? [] : smallest(requireArchitecture(checkpoint), 1);
  try {
    await writtenBytes(checkpoint, { format: 'gguf', removed });
    return { format: 'gguf', notes: [] };
  } catch (error) {
    if (!(error instanceof UserError) || error instanceof CancelledError) throw error;
    return { format: 'safetensors', notes: [noGguf(error)] };
  }
}

/** The reason may quote a whole pattern of a tokenizer. */
function noGguf({ why }: UserError): string {
  const because = why.length > MAX_REASON ? '' : `: ${why}`;
  return `Its format is safetensors, because it cannot be written as GGUF${because}.`;
}

const MAX_REASON = 120;

/** A recipe must not name a type that its export refuses. */
function checkType(format: ExportFormat, type: string | undefined): void {
  if (type === undefined || FORMATS[format].types.includes(type)) return;
  const why = `the types of ${format} are ${FORMATS[format].types.join(', ')}`;
  throw new UserError(`${type} cannot be shipped`, why, 'Ask for one of them, or for another format.');
}

interface Choosing {
  readonly format: ExportFormat;
  readonly type?: string;
  /** Whether the recipe trains on data. */
  readonly trains: boolean;
  /** Tokens that will stay of a vocabulary that is not trimmed yet. */
  readonly tokens?: number;
  readonly job: JobOptions;
}

/** What is written once so many blocks are gone, and what is left is healed or trained. */
function shippedSize(
  checkpoint: Checkpoint,
  count: number,
  { format, type, trains, tokens, job }: Choosing,
): Promise<WrittenSize> {
  const architecture = requireArchitecture(checkpoint);
  const changed = trains || !healable(architecture) ? 'trained' : 'healed';
  const sizes = type === undefined ? blockBytes(checkpoint) : layerParameters(architecture);
  const removed = smallest(architecture, count, sizes);
  const changes = removed.length > 0 && staysGguf(checkpoint, format);
  const weighed = isWeighed(architecture, format, type);
  return writtenSize(checkpoint, { format, type, removed, tokens, weighed, ...(changes && { changed }) }, job);
}

/** Whether an importance matrix guides the rounding of what ships. There is none of experts. */
const isWeighed = ({ layers }: Architecture, format: ExportFormat, type: string | undefined): boolean =>
  format === 'gguf' && type !== undefined && usesImportance(type) && otherKindIn(layers) === undefined;

async function choose(checkpoint: Checkpoint, goal: Goal, choosing: Choosing): Promise<Chosen> {
  const { format, type } = choosing;
  const architecture = requireArchitecture(checkpoint);
  const sizeOf = async (each: string | undefined, count: number): Promise<number> =>
    (await shippedSize(checkpoint, count, { ...choosing, type: each })).bytes;
  if (goal.kind === 'fit') {
    return fitting(architecture, goal.bytes, type === undefined ? typesOf(checkpoint, format) : [type], sizeOf);
  }
  const removes = await countOf(architecture, goal);
  const usual = type ?? usualType(checkpoint, format);
  return { removes, type: usual, bytes: await sizeOf(usual, removes) };
}

async function countOf(architecture: Architecture, goal: Exclude<Goal, { kind: 'fit' }>): Promise<number> {
  switch (goal.kind) {
    case 'fewer':
      return countOfShare(architecture, goal.share);
    case 'faster':
      return countOfSpeed(architecture, goal.factor, `${formatFactor(goal.factor)} the speed`);
    case 'as-fast-as': {
      const other = requireArchitecture(await openCheckpoint(goal.checkpoint));
      const factor = parametersReadOf(architecture) / parametersReadOf(other);
      return countOfSpeed(architecture, factor, `To be as fast as ${checkpointName(goal.checkpoint)}`);
    }
  }
}

/** Whether a GGUF file becomes one again, so that what does not change is copied. */
const staysGguf = (checkpoint: Checkpoint, format: ExportFormat): boolean =>
  format === 'gguf' && isGgufCheckpoint(checkpoint);

/** From the finest to the coarsest. The type of the checkpoint comes first where it can be kept. */
function typesOf(checkpoint: Checkpoint, format: ExportFormat): (string | undefined)[] {
  // Types between these two would round what is rounded already, for little.
  if (format === 'gguf' && isQuantizedGguf(checkpoint)) return [undefined, 'q4_0'];
  const kept = isGgufCheckpoint(checkpoint) ? undefined : keptType(checkpoint);
  const stored = kept === undefined ? [] : [undefined];
  const half = kept === 'f16' || kept === 'bf16' ? [] : ['f16'];
  const { unnamed, types, byUse, byName = [] } = FORMATS[format];
  if (unnamed !== 'stored') return [...types];
  return [...stored, ...half, ...byUse.filter((type) => ![...FORMATS.safetensors.types, ...byName].includes(type))];
}

/** Eight bits hardly change a model and halve it. Safetensors keep the type of the checkpoint, and a quantized file its types. */
function usualType(checkpoint: Checkpoint, format: ExportFormat): string | undefined {
  if (format === 'gguf' && isQuantizedGguf(checkpoint)) return undefined;
  return FORMATS[format].proposed ?? (isGgufCheckpoint(checkpoint) ? 'f16' : undefined);
}

/** Whether the recipe trains on data. */
const trainsOn = ({ data, application }: RecipeWish): boolean => (data ?? application) !== undefined;

/** The texts that are given, else those nearby; none beside an application's text. */
async function textsFor(
  { calibration, text, application }: RecipeWish,
  home: string,
  { folder }: Checkpoint,
): Promise<FoundTexts> {
  if (application !== undefined) return { given: { calibration: false, text: false } };
  const given = { calibration: calibration !== undefined, text: text !== undefined };
  const near = given.calibration && given.text ? {} : await textsNear([home, folder]);
  const [own, other] = [calibration, text].map((path) => path && resolve(path));
  const found = {
    calibration: own ?? (near.calibration === other ? near.text : near.calibration),
    text: other ?? (near.text === own ? near.calibration : near.text),
  };
  // One text is cut into two parts, whatever it was named for.
  const first = found.calibration ?? found.text;
  return { ...(isSame(found) || found.calibration === undefined ? { calibration: first } : found), given };
}

/** Whether both names lead to one file. */
const isSame = ({ calibration, text }: TextsNearby): boolean => calibration !== undefined && calibration === text;

function outlineOf(
  checkpoint: Checkpoint,
  {
    wish,
    goal,
    format,
    chosen,
    texts,
    timed,
    model,
    home,
  }: Pick<Drafting, 'wish' | 'goal' | 'format' | 'chosen' | 'texts' | 'timed' | 'model' | 'home'>,
): Outline {
  const architecture = requireArchitecture(checkpoint);
  // Named by the goal: another number of blocks, as in a quick try, makes no name wrong.
  const own = checkpointName(model.path);
  const name = `${own}-${chosen.removes === 0 ? (chosen.type ?? 'export') : BECOMES[goal.kind]}`;
  return {
    removes: chosen.removes,
    ends: needsEnds(architecture.layers.length, chosen.removes),
    healable: healable(architecture),
    application: wish.application !== undefined,
    hasRows: /\.json$/i.test(texts.calibration ?? ''),
    split: texts.text === undefined && wish.application === undefined,
    hasText: texts.text !== undefined,
    hasTasks: wish.tasks !== undefined,
    hasData: trainsOn(wish),
    ...(timed && { timed: { rate: rateFor(TIMED.batch * timed.steps), keep: timed.keep } }),
    dataIsText: texts.text === undefined && wish.data !== undefined && resolve(wish.data) === texts.calibration,
    format,
    type: chosen.type,
    weighed: isWeighed(architecture, format, chosen.type),
    trimmed: trimmedStep(wish, home, literal(`./${own}-trimmed${isGgufCheckpoint(model) ? '.gguf' : ''}`)),
    out: literal(`./${name}${FORMATS[format].extension ?? `-${format}`}`),
    ...(goal.kind === 'fit' && { maxBytes: goal.bytes }),
    ...(staysGguf(checkpoint, format) && { patch: literal(`./${name}.patch.safetensors`) }),
  };
}

const BECOMES: Readonly<Record<Goal['kind'], string>> = {
  fewer: 'shorter',
  fit: 'smaller',
  faster: 'faster',
  'as-fast-as': 'faster',
};

function recipeEntries(drafting: Drafting): Entry[] {
  const { model, home, outline } = drafting;
  const variables = variablesOf(drafting);
  return [
    {
      name: 'coppice',
      value: RECIPE_VERSION,
      comment: [
        'A recipe of Coppice. `coppice run FILE --dry-run` says what it would do, `coppice run FILE` does it, and',
        '`coppice run FILE --quick` tries it with little. What is done is not repeated.',
      ],
    },
    { name: 'title', value: titleOf(drafting) },
    { name: 'model', value: place(home, model.path) },
    { name: 'variables', value: variables.flatMap(({ quick: _, ...entry }) => entry) },
    {
      name: 'quick',
      value: variables.flatMap(({ name, quick }) => (quick === undefined ? [] : { name, value: quick })),
      comment: ['In place of these variables, for a quick try.'],
    },
    { name: 'steps', value: stepsOf(outline) },
  ];
}

function titleOf({ checkpoint, model, chosen }: Drafting): string {
  const name = literal(checkpointName(model.path));
  const blocks = requireArchitecture(checkpoint).layers.length;
  if (chosen.removes === 0) return `${name}${chosen.type === undefined ? '' : ` as ${chosen.type}`}`;
  return `${name} without \${count} of its ${counted(blocks, 'block')}`;
}

interface Variable extends Entry {
  readonly quick?: Json;
}

function variablesOf({ wish, home, texts, outline, chosen, checkpoint, timed }: Drafting): Variable[] {
  const { application, hasText, hasRows, hasTasks, hasData, healable: heals, removes, weighed } = outline;
  const scores = removes > 0;
  const needsCalibration = !application && (scores || weighed || !hasText);
  const readsSamples = !hasRows && (scores || weighed);
  const missing = 'Put a text there that is like those which your application sends: some hundred kilobytes.';
  const { samples } = DEFAULT_DRAWING;
  const trains = scores && (hasData || !heals || timed !== undefined);
  const blocks = requireArchitecture(checkpoint).layers.length;
  const all: (Variable | false)[] = [
    application && {
      name: 'application',
      value: place(home, wish.application!),
      comment: ['What your application reads and writes. Each step has rows of it that the others do not see.'],
    },
    needsCalibration && {
      name: 'calibration',
      value: texts.calibration === undefined ? CALIBRATION : place(home, texts.calibration),
      comment: [texts.calibration === undefined ? missing : 'A text like those which your application sends.'],
    },
    hasText && {
      name: 'text',
      value: place(home, texts.text!),
      comment: ['Another text, which quality is measured on.'],
    },
    hasTasks && { name: 'tasks', value: place(home, wish.tasks!) },
    wish.data !== undefined && { name: 'data', value: place(home, wish.data) },
    scores && {
      name: 'count',
      value: chosen.removes,
      comment: [`Blocks to remove, of ${blocks}.`],
      quick: Math.min(chosen.removes, QUICK_COUNT),
    },
    readsSamples && {
      name: 'samples',
      value: samples,
      comment: [`Rows of the text that ${scores ? 'scores see' : 'the importance matrix sees'}.`],
      quick: 4,
    },
    scores &&
      heals &&
      timed === undefined && {
        name: 'tokens',
        value: HEAL_TOKENS.normal,
        comment: [`Tokens of text for healing. ${HEAL_TOKENS.quick} heal nearly as well in a third of the time.`],
        quick: 2048,
      },
    trains &&
      !hasData && {
        name: 'selfTokens',
        value: timed?.selfTokens ?? DEFAULTS.selfTokens,
        comment: ['Tokens of text that the original writes to train on.'],
        quick: 1024,
      },
    trains && {
      name: 'trainingSteps',
      value: timed?.steps ?? 200,
      ...(timed && {
        comment: [
          `With choosing and healing ${markedTime(timed.time)} on the machine that this was written on. The rest comes on top.`,
        ],
      }),
      quick: 2,
    },
    !hasRows && { name: 'windows', value: 64, comment: ['Windows of the text that are measured.'], quick: 4 },
    writesTexts(outline) && {
      name: 'prompt',
      value: 'Once upon a time',
      comment: ['Both models go on with it. Take a beginning like those of your application.'],
    },
    { name: 'runs', value: 7, comment: ['Runs by which speeds are measured.'], quick: 3 },
    asksProbes(outline) && {
      name: 'questions',
      value: QUESTIONS,
      comment: ['Questions of each probe.'],
      quick: 2,
    },
    hasTasks && { name: 'items', value: 200, comment: ['Questions of each task.'], quick: 8 },
  ];
  return all.filter((each) => each !== false);
}
