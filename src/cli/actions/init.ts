/** `coppice init`: drafts a recipe for a model, with the steps from it to one that ships. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { UserError } from '../../engine/errors';
import { installed } from '../../engine/files/installed';
import { readTextFile } from '../../engine/files/text-file';
import { isGguf } from '../../engine/formats/gguf/file';
import { flagOf } from '../../jobs/argv';
import { completeOptions } from '../../jobs/complete';
import { JOBS } from '../../jobs/definitions';
import { runJob } from '../../jobs/run-job';
import { inThisProcess } from '../../jobs/run-spec';
import { sharing } from '../../sharing/claims';
import { checkFileTarget, refuseExisting } from '../../jobs/file-target';
import { writeWhole } from '../../engine/files/whole-file';
import { checkpointName } from '../../jobs/titles';
import { draftRecipe } from '../../recipes/init/draft';
import { movedRecipe } from '../../recipes/init/paper';
import { type DraftedRecipe, type Goal, type RecipeWish, type TrimmedWish, USUAL_GOAL } from '../../recipes/init/wish';
import { RECIPE_SUFFIX } from '../../recipes/recipe';
import type { Outcome, Shell } from '../execute';
import { UsageError } from '../failure';
import type { CommonOptions } from '../options';
import { formatBytes } from '../../format/numbers';
import { learning } from '../../estimates/learn';
import { openSpeeds } from '../../estimates/measure-rates';
import { capitalized } from '../../format/words';
import { agrees } from '../terminal/consent';

const GOALS = ['fewer', 'fit', 'faster', 'asFastAs'] as const;

/** Its goal is one of the first four; what else it wishes is that of the draft. */
export interface InitOptions
  extends
    CommonOptions,
    Pick<RecipeWish, 'format' | 'type' | 'application' | 'calibration' | 'text' | 'tasks' | 'data' | 'minutes'> {
  readonly fewer?: number;
  readonly fit?: number;
  readonly faster?: number;
  readonly asFastAs?: string;
  /** Texts that the vocabulary is trimmed to. */
  readonly vocabulary?: readonly string[];
  readonly yes?: true;
  readonly paper?: string;
  readonly out?: string;
}

export async function init(path: string, given: InitOptions, shell: Shell): Promise<Outcome> {
  const { paper } = given;
  const goal = goalOf(given);
  const suffix = paper === undefined ? '' : `-${paper}`;
  const file = resolve(given.out ?? `${checkpointName(resolve(path))}${suffix}${RECIPE_SUFFIX}`);
  await refuseExisting(file, 'Give the new recipe another name with --out.');
  await checkFileTarget('the recipe', file, path);
  if (paper !== undefined) return ofPaper(path, { ...given, paper, file }, shell);
  const { format, type, application, calibration, text: measured, tasks, data, minutes } = given;
  const wish: RecipeWish = {
    ...{ file, goal, format, type, application, calibration, text: measured, tasks, data, minutes },
    ...(minutes !== undefined && { timing: await timingHere() }),
  };
  const drafted = await withTrimmed(path, given.vocabulary, shell, (trimmed) =>
    draftRecipe(path, { ...wish, ...(trimmed && { trimmed }) }, shell.job),
  );
  const isLarger = drafted.expectedBytes > drafted.modelBytes;
  const agreed = !isLarger || given.yes === true || (await agreesTo(drafted, given.json === true, shell));
  if (agreed) await writeWhole(file, drafted.text);
  drafted.warnings.forEach(shell.warn);
  const { text: _, ...facts } = drafted;
  return {
    json: { recipe: agreed ? file : null, ...facts },
    page: agreed ? pageOf(file, drafted, shell) : ['No recipe was written.'],
    run: { inputs: [], settings: { goal } },
  };
}

/** Trims the vocabulary once, to a folder that is gone afterwards, so that sizes are known. Without texts it does nothing. */
async function withTrimmed<T>(
  path: string,
  texts: readonly string[] | undefined,
  { job, warn }: Shell,
  use: (trimmed: TrimmedWish | undefined) => Promise<T>,
): Promise<T> {
  if (texts === undefined) return use(undefined);
  const folder = await mkdtemp(join(tmpdir(), 'coppice-init-'));
  try {
    const out = join(folder, (await isGguf(path).catch(() => false)) ? 'trimmed.gguf' : 'trimmed');
    const free = { maxBitsGrowth: Number.MAX_VALUE, maxGrowth: Number.MAX_VALUE };
    const options = completeOptions(JOBS.vocabulary, { checkpoint: path, texts, bits: false, ...free, out });
    const quiet = { hooks: {}, emit: () => undefined, note: () => undefined, place: undefined };
    const { result } = await runJob('vocabulary', options, { ...quiet, job, warn });
    const { kept, size, heldOut } = result;
    return await use({ texts, checkpoint: out, kept, size, growth: heldOut.growth });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The speeds of this machine, and trainings in this process, from which they are learned. */
async function timingHere(): Promise<NonNullable<RecipeWish['timing']>> {
  const speeds = await openSpeeds();
  return { speeds, run: sharing(learning(inThisProcess({}), speeds)) };
}

/** @throws UsageError without a terminal; CancelledError */
function agreesTo(
  { expectedBytes, modelBytes }: DraftedRecipe,
  json: boolean,
  { job: { signal } }: Shell,
): Promise<boolean> {
  const why = `what ships would be larger than the model: about ${formatBytes(expectedBytes)}, and it has ${formatBytes(modelBytes)} now`;
  const way = 'Ask for a size with --fit, for another --format or --type; or add --yes if that is what you want.';
  const question = `${capitalized(why)}. Write the recipe all the same?`;
  return agrees(question, new UsageError('No recipe was written', why, way), { json, signal });
}

/** A recipe of the paper, with the user's model. */
async function ofPaper(
  path: string,
  given: InitOptions & { readonly paper: string; readonly file: string },
  { shown, style }: Shell,
): Promise<Outcome> {
  const { paper, file } = given;
  const alien = (['format', 'type', 'application', 'tasks', 'data', 'minutes', 'vocabulary', ...GOALS] as const).find(
    (name) => given[name] !== undefined,
  );
  if (alien !== undefined) {
    const why = 'a recipe of the paper has its own steps';
    throw new UsageError(`${flagOf(alien)} cannot be used with --paper`, why, 'Leave one of them out.');
  }
  const { architecture, blocks } = await openedModel(path);
  const from = await paperFile(paper);
  const { text: source } = await readTextFile(from, MAX_BYTES, 'Install Coppice again.');
  await writeWhole(file, movedRecipe(source, from, path, { ...given, file }));
  return {
    json: { recipe: file, paper, architecture, blocks },
    page: [`Wrote ${style.bold(shown(file))}.`, `Try it with little: coppice run ${shown(basename(file))} --quick`],
    run: { inputs: [], settings: { paper } },
  };
}

async function openedModel(path: string): Promise<{ readonly architecture: string; readonly blocks: number }> {
  const { family, layers } = requireArchitecture(await openCheckpoint(path));
  return { architecture: family, blocks: layers.length };
}

/** A recipe has some tens of kilobytes. */
const MAX_BYTES = 4 * 2 ** 20;

async function paperFile(name: string): Promise<string> {
  const folder = installed('recipes', 'shortened-llama');
  if (folder === undefined) {
    const why = 'the folder recipes is missing';
    throw new UserError('The recipes of the paper are not there', why, 'Install Coppice again.');
  }
  const names = (await readdir(folder)).filter((each) => each.endsWith(RECIPE_SUFFIX));
  if (names.includes(`${name}${RECIPE_SUFFIX}`)) return join(folder, `${name}${RECIPE_SUFFIX}`);
  const known = names.map((each) => each.slice(0, -RECIPE_SUFFIX.length)).sort();
  throw new UsageError(`There is no recipe ${name}`, `these are: ${known.join(', ')}`, 'Name one of them.');
}

function goalOf(given: InitOptions): Goal {
  const goals = GOALS.filter((name) => given[name] !== undefined);
  if (goals.length > 1) {
    const [one, other] = goals.map(flagOf);
    throw new UsageError('There are two goals', `${one} and ${other} are given`, 'Leave one of them out.');
  }
  if (given.fewer !== undefined) return { kind: 'fewer', share: given.fewer };
  if (given.fit !== undefined) return { kind: 'fit', bytes: given.fit };
  if (given.faster !== undefined) return { kind: 'faster', factor: given.faster };
  return given.asFastAs === undefined ? USUAL_GOAL : { kind: 'as-fast-as', checkpoint: given.asFastAs };
}

function pageOf(file: string, { notes }: DraftedRecipe, { shown, style }: Shell): string[] {
  const name = basename(file);
  return [
    `Wrote ${style.bold(shown(file))}.`,
    ...notes.map((note) => `  ${shown(note)}`),
    `See what it does: coppice run ${shown(name)} --dry-run`,
  ];
}
