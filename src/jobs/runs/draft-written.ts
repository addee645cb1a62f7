/** Writes the pair of a forecast, runs it, and only then gives it its name. */
import { foldersOf } from '../../engine/checkpoint/folders';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { forecast } from '../../engine/draft/forecast';
import type { Runtime } from '../../engine/draft/runtimes';
import type { Perfect, Verdict } from '../../engine/draft/verdict';
import { UserError } from '../../engine/errors';
import { claimTarget } from '../../engine/files/target';
import type { DraftResult } from '../results/draft';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions } from '../run';
import type { MeasuredCosts } from './draft-costs';
import { type CandidateForecast, triedIn } from './draft-forecast';
import type { Shipped } from './draft-models';
import { type Pair, type PairModel, writePair } from './draft-pair';
import type { DraftText } from './draft-text';
import { type PairRan, runPair } from './pair-run';

type Options = OptionsFor<'draft'>;

/** All that was found, as far as it was looked for. */
export interface Found {
  readonly target: Shipped;
  readonly text?: DraftText;
  readonly costs?: MeasuredCosts;
  readonly perfect?: Perfect;
  readonly forecasts: readonly CandidateForecast[];
  readonly chosen?: CandidateForecast;
  readonly verdict: Verdict;
  readonly headShare: number;
}

/** What a folder of a pair says of itself; nothing where none is written. */
export type WrittenPair =
  Pick<DraftResult, 'verdict' | 'out' | 'files' | 'verified' | 'runtime'> | Record<string, never>;

/** Writes the pair where it is asked for and pays, or is forced; runs it, and only then gives it its name. */
export async function writeChosen(
  options: Options,
  checkpoint: Checkpoint,
  { target, text, chosen, verdict }: Found,
  context: JobContext,
): Promise<WrittenPair> {
  const { out, for: runtime, force, temperature } = options;
  if (out === undefined || !chosen || !text || !(verdict.pays || force === true)) return {};
  const { length, threshold } = chosen.candidate;
  const pair: Pair = {
    ...{ runtime, length, threshold, temperature },
    target: modelOf(target),
    draft: modelOf(chosen.draft),
    texts: temperature === 0 ? textsToRun(text, chosen, runtime) : [],
  };
  const stage = await claimTarget(out, foldersOf(checkpoint), target.bytes + chosen.draft.bytes);
  try {
    let ran: PairRan | undefined;
    const files = await writePair(pair, stage.temporary, context, async (folder) => {
      ran = await runPair(pair, folder, options, modelOptions(options, context), context.job);
      return ran.verified;
    });
    if (ran?.why !== undefined) context.note(ran.why);
    requireOwnTexts(stage.out, ran);
    await stage.commit();
    const version = ran?.version ?? null;
    return {
      verdict: 'written',
      out: stage.out,
      files,
      verified: ran?.verified ?? null,
      runtime: { name: runtime, version },
    };
  } catch (error) {
    await stage.discard().catch(() => undefined); // it keeps its temporary name; the first error is the one to report
    throw error;
  }
}

const modelOf = ({ checkpoint, removed, patch, type, isWritten, path }: Shipped): PairModel => ({
  ...{ checkpoint, remove: removed, heal: patch, type },
  ...(isWritten && { written: path }),
});

/** Texts that a pair is run on. */
const TEXTS_RUN = 16;

/** Those held out, or the first that decide, with the rounds that are forecast for each. */
function textsToRun(
  { searched, heldOut }: DraftText,
  { candidate, read }: CandidateForecast,
  runtime: Runtime,
): Pair['texts'] {
  const { length, threshold } = candidate;
  const { inclusive } = triedIn(runtime);
  const [texts, places] = heldOut.length > 0 ? [heldOut, read.heldOut] : [searched, read.searched];
  return texts.slice(0, TEXTS_RUN).map(({ prompt, ids }, i) => ({
    ...{ prompt, ids },
    rounds: forecast(places[i], { length, threshold, inclusive }).rounds,
  }));
}

/** A pair with other texts is not left behind. @throws UserError */
function requireOwnTexts(out: string, ran: PairRan | undefined): void {
  const { verified } = ran ?? {};
  if (!verified || verified.textsEqual === verified.texts) return;
  throw new UserError(
    `${out} was written and does not write the text of the model`,
    `${verified.texts - verified.textsEqual} of ${verified.texts} texts differ in ${verified.by}`,
    'It was removed again. Name another program or type; if the model is in float32, report it with this message.',
  );
}
