/** Forecasts of drafts, from one pass of target and draft over the target's text. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { PassCosts } from '../../engine/draft/costs';
import {
  bestDrafting,
  type BestDrafting,
  type Costs,
  forecastAll,
  LENGTHS,
  type Places,
  speedupOf,
  THRESHOLDS,
  type Tried,
} from '../../engine/draft/forecast';
import { type Compared, compareFiles } from '../../engine/draft/onnx-places';
import { overlapOf, placesOf, readingWork, readTexts, tokensOf, type WrittenText } from '../../engine/draft/places';
import { type Runtime, RUNTIME_FACTS } from '../../engine/draft/runtimes';
import type { Judged } from '../../engine/draft/verdict';
import type { ModelOptions } from '../../engine/model/model';
import { withModel } from '../../engine/model/opened';
import { fullView } from '../../engine/model/view';
import { type JobOptions, Work } from '../../engine/progress';
import { openOnnxReader } from '../../engine/verify/onnx-reader';
import type { DraftCandidate } from '../results/draft';
import type { Shipped } from './draft-models';
import type { DraftText } from './draft-text';

/** What is known of a draft's tokens on the texts that decide, and on those held out. */
export interface Read {
  readonly searched: readonly Places[];
  readonly heldOut: readonly Places[];
  /** Means over the texts that decide. */
  readonly agree: number;
  readonly overlap: number;
}

/** @throws CancelledError */
export async function readPair(
  target: Shipped,
  draft: Shipped,
  text: DraftText,
  temperature: number,
  compute: ModelOptions & { readonly runtime: Runtime },
  job: JobOptions,
): Promise<Read> {
  const texts = [...text.searched, ...text.heldOut];
  const isOnnx = RUNTIME_FACTS[compute.runtime].format === 'onnx';
  const found = isOnnx
    ? await compareInOnnx(target, draft, texts, temperature, compute, job)
    : await compareInEngine(target, draft, texts, temperature, compute, job);
  const places = placesOf(texts, text.rule, found.target, found.draft);
  const searched = places.slice(0, text.searched.length);
  const decided = tokensOf(text.searched);
  return {
    searched,
    heldOut: places.slice(text.searched.length),
    agree: mean(searched.flatMap(({ taken }) => Array.from(taken))),
    overlap: mean(found.overlap.subarray(0, decided)),
  };
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, each) => sum + each, 0) / values.length;

async function compareInOnnx(
  target: Shipped,
  draft: Shipped,
  texts: readonly WrittenText[],
  temperature: number,
  { threads }: ModelOptions,
  job: JobOptions,
): Promise<Compared> {
  const work = new Work(job, 2 * tokensOf(texts), 'tokens', draft.name);
  const first = await openOnnxReader(target.file, target.name, threads);
  try {
    const second = await openOnnxReader(draft.file, draft.name, threads);
    try {
      return await compareFiles(first, second, texts, temperature, work, job.signal);
    } finally {
      await second.close();
    }
  } finally {
    await first.close();
  }
}

async function compareInEngine(
  target: Shipped,
  draft: Shipped,
  texts: readonly WrittenText[],
  temperature: number,
  compute: ModelOptions,
  job: JobOptions,
): Promise<Compared> {
  const [own, other] = [await openCheckpoint(target.path), await openCheckpoint(draft.path)];
  return withModel(own, compute, (model) =>
    withModel(other, compute, async (small) => {
      const [one, two] = [model, small].map((each) => ({
        model: each,
        view: fullView(requireArchitecture(each.checkpoint).layers.length),
      }));
      const work = new Work(job, readingWork(texts, one) + readingWork(texts, two), 'row-blocks', draft.name);
      const first = await readTexts(one, texts, temperature, work);
      const second = await readTexts(two, texts, temperature, work);
      const overlap = await overlapOf(first, second, temperature);
      return { target: first.scores, draft: second.scores, overlap };
    }),
  );
}

/** Which lengths and thresholds the program can be given. */
export function triedIn(runtime: Runtime): Required<Tried> {
  const { threshold, shortest } = RUNTIME_FACTS[runtime];
  return {
    lengths: LENGTHS.filter((length) => length >= shortest),
    thresholds: threshold === 'none' ? [0] : THRESHOLDS,
    inclusive: threshold === 'inclusive',
  };
}

/** What comes of a draft, for the result, with what decides about it. */
export interface CandidateForecast {
  readonly candidate: DraftCandidate;
  readonly best: BestDrafting;
  readonly read: Read;
  readonly draft: Shipped;
  /** On the prompts held out, with the best setting; null without any. */
  readonly speedupHeldOut: number | null;
}

/** @param at the draft's place in `costs.c` */
export function forecastOf(
  draft: Shipped,
  read: Read,
  costs: PassCosts,
  at: number,
  runtime: Runtime,
): CandidateForecast {
  const c = costs.c[at] ?? costs.c[0];
  const tried = triedIn(runtime);
  const usual = costsAt(costs, c.value, 'value');
  const best = bestDrafting(read.searched, usual, tried);
  const byLength = LENGTHS.map((length) => {
    const { tokens, rounds, drafted, ...rest } = forecastAll(read.searched, { length, inclusive: tried.inclusive });
    const speedup = speedupOf({ tokens, rounds, drafted, ...rest }, usual);
    return { length, rounds, accepted: tokens - rounds, drafted, tokensPerRound: tokens / rounds, speedup };
  });
  const { length, threshold, speedup, forecast } = best;
  const range: readonly [number, number] | undefined =
    costs.runs === 0
      ? undefined
      : [speedupOf(forecast, costsAt(costs, c.high, 'high')), speedupOf(forecast, costsAt(costs, c.low, 'low'))];
  const drafting = { length, threshold, inclusive: tried.inclusive };
  return {
    candidate: {
      ...{ name: draft.name, model: draft.model, removed: draft.removed, type: draft.type },
      ...{ healed: draft.healed, trivial: draft.trivial, bytes: draft.bytes, c: c.value },
      ...{ agree: read.agree, overlap: read.overlap, length, threshold },
      ...{ tokensPerRound: forecast.tokens / forecast.rounds, speedup, ...(range && { range }), byLength },
    },
    best,
    read,
    draft,
    speedupHeldOut: read.heldOut.length === 0 ? null : speedupOf(forecastAll(read.heldOut, drafting), usual),
  };
}

/** Costs at the medians, or at an end of what was measured. */
const costsAt = ({ rows, v }: PassCosts, draft: number, end: 'value' | 'low' | 'high'): Costs => ({
  rows,
  times: v.map((each) => each[end]),
  draft,
});

/** By the prompts held out, where there are any. */
export const judgedOf = ({ candidate, speedupHeldOut, best }: CandidateForecast): Judged => ({
  ...{ name: candidate.name, trivial: candidate.trivial, bytes: candidate.bytes, agree: candidate.agree },
  ...{ tokensPerRound: candidate.tokensPerRound, speedup: speedupHeldOut ?? best.speedup },
});
