/** Forecasts what drafts gain, says whether one pays, and writes the pair. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { foldersOf } from '../../engine/checkpoint/folders';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { tokensOf } from '../../engine/draft/places';
import { type PromptsOfDraft, readPromptsOfDraft } from '../../engine/draft/rows-file';
import { otherVocabulary } from '../../engine/draft/same-vocabulary';
import { judge, judgePerfect, type Verdict } from '../../engine/draft/verdict';
import { checkTarget } from '../../engine/files/target';
import { openForComputing } from '../../engine/model/opened';
import { inPhases } from '../../engine/progress';
import { detailsOf, fileInput } from '../../engine/records/details';
import { modelInput, type RunInput } from '../../engine/records/record';
import { formatBytes } from '../../format/numbers';
import type { DraftResult } from '../results/draft';
import { draft as definition } from '../definitions/draft';
import { SELF } from '../healing-amounts';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, recordedOptions, type RunEnd, secondsSince, watchDevice } from '../run';
import { givenCosts, measureCosts, type MeasuredCosts } from './draft-costs';
import { type CandidateForecast, forecastOf, judgedOf, readPair, triedIn } from './draft-forecast';
import { draftsOf, headShareOf, type Made, ship, type Shipped, targetOf } from './draft-models';
import { type Found, writeChosen } from './draft-written';
import { comparedAt, ruleOf, textOf } from './draft-text';

type Options = OptionsFor<'draft'>;

export async function runDraft(options: Options, context: JobContext): Promise<RunEnd<DraftResult>> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(options.checkpoint);
  requireArchitecture(checkpoint);
  const healed = await healedInputs(options, context);
  if (options.out !== undefined) await checkTarget(options.out, foldersOf(checkpoint));
  const prompts = await readPromptsOfDraft(options.prompts);
  const given = await givenCosts(options);
  const { hooks, device } = watchDevice(context.hooks);
  const folder = await mkdtemp(join(tmpdir(), 'coppice-draft-'));
  try {
    const found = await forecastAllOf({ options, checkpoint, prompts, given, folder }, { ...context, hooks });
    const pair = await writeChosen(options, checkpoint, found, { ...context, hooks });
    const result = { ...resultOf(options, found), ...pair, seconds: secondsSince(start) };
    const others = await Promise.all((options.drafts ?? []).map((path) => openCheckpoint(path)));
    return {
      result,
      run: detailsOf(checkpoint, options, {
        inputs: [
          fileInput('prompts', options.prompts, prompts.sha256),
          ...healed,
          ...others.map((each) => ({ ...modelInput(each), role: 'draft' })),
        ],
        settings: { ...recordedOptions(definition, options), removed: options.remove ?? [], rule: ruleOf(options) },
        device: device(),
        checkpoints: others,
      }),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The file of healed weights, which is looked at before the work starts. @throws UserError where it is not of this model */
async function healedInputs({ checkpoint, remove, heal }: Options, { job }: JobContext): Promise<readonly RunInput[]> {
  if (heal === undefined || heal === SELF) return [];
  return (await openForComputing(checkpoint, { remove, heal }, job)).inputs;
}

interface Asked {
  readonly options: Options;
  readonly checkpoint: Checkpoint;
  readonly prompts: PromptsOfDraft;
  readonly given: MeasuredCosts | undefined;
  /** A passing folder. */
  readonly folder: string;
}

async function forecastAllOf(asked: Asked, context: JobContext): Promise<Found> {
  const { options, checkpoint, prompts, folder } = asked;
  const [making, writing, timing, reading] = inPhases(context.job, [
    { share: 1 },
    { share: prompts.rows ? 0 : 6 },
    { share: asked.given ? 0 : 1 },
    { share: 4 },
  ]);
  const runtime = options.for;
  const shipping = { runtime, folder, texts: [] };
  const headShare = headShareOf(checkpoint);
  const target = await ship(targetOf(options), shipping, context, making);
  const common = { target, headShare };
  const { able, unable } = await sameVocabulary(asked, context);
  if (able.length === 0) return { ...common, forecasts: [], verdict: unable ?? NOTHING_SMALLER };
  const { lengths } = triedIn(runtime);
  if (asked.given && !prompts.rows && options.force !== true) {
    const perfect = judgePerfect(asked.given, headShare, lengths);
    if (perfect.verdict) return { ...common, costs: asked.given, perfect, forecasts: [], verdict: perfect.verdict };
  }
  const text = await textOf(options, prompts, checkpoint, target, context, writing);
  const drafts: Shipped[] = [];
  for (const made of able) drafts.push(await ship(made, { ...shipping, texts: text.searched }, context, making));
  const small = drafts.filter(({ bytes }) => bytes <= (options.maxBytes ?? Infinity));
  if (small.length === 0) return { ...common, text, forecasts: [], verdict: tooLarge(drafts) };
  const costs = asked.given ?? (await measureCosts(options, target, small, text.searched[0], timing));
  const perfect = judgePerfect(costs, headShare, lengths);
  const compute = { ...modelOptions(options, context), runtime };
  const phases = inPhases(
    reading,
    small.map(() => ({ share: 1 })),
  );
  const forecasts: CandidateForecast[] = [];
  for (const [i, each] of small.entries()) {
    const read = await readPair(target, each, text, comparedAt(options), compute, phases[i]);
    forecasts.push(forecastOf(each, read, costs, i, runtime));
  }
  const named = forecasts.filter(({ draft }) => isNamed(draft, options));
  const chosen = bestOf(named.length > 0 ? named : forecasts)!;
  const bar = bestOf(forecasts.filter((each) => each !== chosen && each.candidate.trivial));
  const verdict = perfect.verdict ?? judge(judgedOf(chosen), bar && judgedOf(bar), perfect);
  return { ...common, text, costs, perfect, forecasts, chosen, verdict };
}

/** Whether it was asked for: it is not only the bar for others. */
const isNamed = ({ model, trivial, type }: Shipped, { type: asked, remove, heal }: Options): boolean =>
  model !== null || !trivial || (type === asked && remove === undefined && heal === undefined);

const NOTHING_SMALLER: Verdict = {
  pays: false,
  blame: null,
  why: 'No draft was forecast: the model is in the smallest type already. Leave out some of its blocks, or name a smaller model with its vocabulary.',
};

const tooLarge = (drafts: readonly Shipped[]): Verdict => ({
  pays: false,
  blame: null,
  why: `No draft was forecast: the smallest has ${formatBytes(Math.min(...drafts.map(({ bytes }) => bytes)))}.`,
});

/** By what is forecast on the texts that decide: those held out only judge it. */
function bestOf(forecasts: readonly CandidateForecast[]): CandidateForecast | undefined {
  return forecasts.reduce<CandidateForecast | undefined>(
    (best, each) => (best === undefined || each.best.speedup > best.best.speedup ? each : best),
    undefined,
  );
}

/** The drafts that have the target's vocabulary, and why no other is there. */
async function sameVocabulary(
  { options, checkpoint, prompts }: Asked,
  context: JobContext,
): Promise<{ readonly able: readonly Made[]; readonly unable?: Verdict }> {
  const able: Made[] = [];
  let unable: Verdict | undefined;
  for (const made of draftsOf(options, checkpoint)) {
    const other = made.model === null ? undefined : await openCheckpoint(made.model);
    const why = other && (await otherVocabulary(checkpoint, other, prompts.texts ?? [], context.job));
    if (why === undefined) able.push(made);
    else {
      const words = `${made.name} cannot draft for this model: ${why}`;
      unable = { pays: false, blame: 'vocabulary', why: `${words}.` };
      context.warn(words);
    }
  }
  return { able, unable };
}

function resultOf(options: Options, found: Found): Omit<DraftResult, 'seconds'> {
  const { target, text, costs, perfect, forecasts, chosen, verdict } = found;
  const { for: runtime, temperature, prompts } = options;
  const texts = text ? [...text.searched, ...text.heldOut] : [];
  return {
    target: { path: resolve(options.checkpoint), type: target.type, bytes: target.bytes },
    runtime: { name: runtime, version: null },
    text: {
      prompts: texts.length,
      heldOut: text?.heldOut.length ?? 0,
      tokens: tokensOf(texts),
      source: text?.source ?? basename(resolve(prompts)),
      temperature,
      rule: text?.rule ?? ruleOf(options),
    },
    costs: costs
      ? {
          rows: costs.rows,
          v: costs.v.map(({ value }) => value),
          headShare: found.headShare,
          runs: costs.runs,
          measuredIn: costs.measuredIn ?? null,
        }
      : null,
    perfect: perfect ? { length: perfect.length, speedup: perfect.speedup } : null,
    candidates: forecasts.map(({ candidate }) => candidate),
    chosen: chosen ? { ...chosen.candidate, speedupHeldOut: chosen.speedupHeldOut } : null,
    verdict: verdict.pays ? 'pays' : 'refused',
    blame: verdict.blame,
    why: verdict.why,
    out: null,
    files: [],
    verified: null,
  };
}
