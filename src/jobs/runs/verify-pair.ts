/** Verifies a folder with a model and its draft: its files, its texts, and the passes that it takes. */
import { UserError } from '../../engine/errors';
import type { PairFile } from '../../engine/draft/pair-file';
import { RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { option } from '../../engine/option-token';
import { PAIR_PLACES } from '../../engine/verify/consumers/pairs';
import type { VerifiedResult, VerifyResult } from '../results/export';
import type { OptionsFor } from '../kinds';
import { type JobContext, modelOptions, type RunEnd, secondsSince, watchDevice } from '../run';
import { type PairRan, runPair } from './pair-run';
import { changedFiles } from './verify-written';

type Options = OptionsFor<'verify'>;

/** @throws UserError when a model cannot be read, and for options that a pair has no use for; CancelledError */
export async function verifyPair(pair: PairFile, options: Options, context: JobContext): Promise<RunEnd<VerifyResult>> {
  const start = performance.now();
  const { folder, runtime, length, threshold, record } = pair;
  requireNoModel(options);
  requireModels(pair);
  const files = await changedFiles({ path: folder, record }, context.job);
  const { hooks, device } = watchDevice(context.hooks);
  const compute = modelOptions(options, { ...context, hooks });
  const isAsWritten = files?.changed.length === 0;
  // What is not what was written is not opened.
  const ran: PairRan = isAsWritten
    ? await runPair(pair, folder, options, compute, context.job)
    : { verified: null, version: null };
  if (ran.why !== undefined && !ran.isRefused) context.note(ran.why);
  return {
    result: {
      format: RUNTIME_FACTS[runtime].format,
      out: folder,
      against: pair.model,
      removed: [],
      verified: verdictOf(pair, files, ran),
      pair: ran.verified,
      consumers: [],
      seconds: secondsSince(start),
    },
    run: {
      inputs: record.inputs.map(({ role, name, identity, sha256 }) => ({
        role,
        name,
        ...(identity !== undefined && { identity }),
        ...(sha256 !== undefined && { sha256 }),
      })),
      settings: { runtime, length, threshold, version: ran.version },
      device: device(),
    },
  };
}

/** Logits are not compared: the texts are. */
function verdictOf(
  { texts }: PairFile,
  files: VerifiedResult['files'],
  { verified, why, isRefused }: PairRan,
): VerifiedResult {
  const fault = faultOf(files, verified) ?? (isRefused ? why : undefined);
  const tokens = verified ? texts.reduce((sum, { ids }) => sum + ids.length, 0) : 0;
  return {
    positions: 0,
    maxDifference: NaN,
    relative: NaN,
    meanKl: NaN,
    top1: 0,
    greedy: { tokens, equal: verified !== null && verified.textsEqual === verified.texts },
    exact: false,
    tolerance: 0,
    ...(files && { files }),
    passed: fault === undefined,
    ...(fault !== undefined && { why: fault }),
  };
}

function faultOf(files: VerifiedResult['files'], verified: PairRan['verified']): string | undefined {
  if (files && files.changed.length > 0) return `${files.changed.join(', ')} changed since it was written`;
  if (!verified || verified.textsEqual === verified.texts) return undefined;
  return `${verified.texts - verified.textsEqual} of its ${verified.texts} texts are not those of the model alone`;
}

/** @throws UserError for a record that leaves a model out: its hash would not be compared */
function requireModels({ folder, runtime, record }: PairFile): void {
  const names = (record.results.files as readonly { readonly name: string }[]).map(({ name }) => name);
  for (const place of Object.values(PAIR_PLACES[runtime])) {
    if (names.some((name) => name === place || name.startsWith(`${place}/`))) continue;
    throw new UserError(
      `${folder} is not a pair that Coppice wrote`,
      `its record does not name ${place}`,
      'Write the pair again.',
    );
  }
}

/** @throws UserError */
function requireNoModel(options: Options): void {
  const name = (['against', 'remove', 'width', 'heal', 'adapter'] as const).find((each) => options[each] !== undefined);
  if (name === undefined) return;
  throw new UserError(
    `${option(name)} has no use here`,
    'the folder has a model and its draft, which are compared with the texts in its record',
    'Leave it out.',
  );
}
