/** Trims the vocabulary of a model: counts, chooses, shows what that costs, and only then writes. */
import { basename, resolve } from 'node:path';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { LimitError } from '../../engine/errors';
import type { SpellingLoss } from '../../engine/evaluate/spelling-loss';
import { option } from '../../engine/option-token';
import { inPhases } from '../../engine/progress';
import { detailsOf } from '../../engine/records/details';
import { formatNumber, formatPercent } from '../../format/numbers';
import { limitFor } from '../../format/vocabularies';
import { sufferers } from '../../engine/vocabulary/held-out';
import type { VocabularyResult } from '../results/vocabulary';
import { vocabulary as definition } from '../definitions/vocabulary';
import { checkLikeSource } from '../file-target';
import type { OptionsFor } from '../kinds';
import { type JobContext, recordedOptions, type RunEnd, secondsSince, watchDevice } from '../run';
import { histogramOf, namesOfCounted, type Trimming, trimming } from './vocabulary-choice';
import { lossOf } from './vocabulary-loss';
import { verifyTrimmed, writeTrimmed } from './vocabulary-written';

type Options = OptionsFor<'vocabulary'>;

export async function runVocabulary(options: Options, context: JobContext): Promise<RunEnd<VocabularyResult>> {
  const start = performance.now();
  const checkpoint = await openCheckpoint(options.checkpoint);
  if (options.out !== undefined) await checkLikeSource(checkpoint, options.out);
  const [counting, measuring, writing] = inPhases(context.job, [
    { share: 3 },
    { share: options.bits ? 3 : 0 },
    { share: options.out === undefined ? 0 : 1 },
  ]);
  const { hooks, device } = watchDevice(context.hooks);
  const found = await trimming(checkpoint, options, { ...context, job: counting });
  const loss = options.bits
    ? await lossOf(checkpoint, found, options, { ...context, hooks, job: measuring })
    : undefined;
  const examples = await sufferers(found.pair, found.pieces, found.held);
  const advice = adviceOf(found);
  if (advice !== null) context.warn(advice);
  const growth = loss && loss.bitsPerByte.after / loss.bitsPerByte.before - 1;
  if (options.out !== undefined) requireWithin(found, growth, options);
  const facts: Omit<VocabularyResult, 'written' | 'verified' | 'seconds' | 'bytes'> = {
    ...countsOf(found, options),
    heldOut: heldOutOf(found, options, loss, growth),
    examples,
    counts: histogramOf(found.counts),
    table: found.table,
    advice,
  };
  const settings = recordedOptions(definition, options);
  const written = await writeTrimmed(
    { checkpoint, found, facts, settings, started: context.started },
    options.out,
    writing,
  );
  for (const { name, why } of written.leftBehind) context.note(`${name} was not copied: ${why}`);
  const verified =
    written.out === null
      ? undefined
      : await verifyTrimmed(checkpoint, written.out, found, options, { ...context, hooks, job: writing });
  const result: VocabularyResult = {
    ...facts,
    bytes: { before: checkpoint.size.all, after: written.bytes },
    written: written.out,
    ...(verified && { verified }),
    seconds: secondsSince(start),
  };
  return { result, run: detailsOf(checkpoint, options, { inputs: found.inputs, settings, device: device() }) };
}

function countsOf(found: Trimming, { min, multiple }: Options) {
  const { source, chosen, trimmed, counts, parameters, tokens, inputs } = found;
  const { tokens: all } = source;
  return {
    ...{ kind: all.kind, size: found.size, kept: trimmed.kept.length, seen: counts.size },
    ...{ specials: source.specials.length, alphabet: found.alphabet, closure: chosen.closure, filled: chosen.filled },
    merges: { before: all.merges.length, after: trimmed.merges },
    ...{ min, multiple, parameters },
    asBlocks: { count: (parameters.before - parameters.after) / found.blockParameters, of: found.blocks },
    texts: { files: namesOfCounted(inputs).length, tokens },
  };
}

function heldOutOf(
  { held }: Trimming,
  { heldOut }: Options,
  loss: SpellingLoss | undefined,
  growth: number | undefined,
): VocabularyResult['heldOut'] {
  const { pieces, covered, equal, coverage, growth: longer, unknown } = held;
  return {
    file: heldOut === undefined ? null : basename(resolve(heldOut)),
    ...{ pieces, covered, equal, coverage, growth: longer, unknown },
    ...(loss && {
      bitsPerByte: { ...loss.bitsPerByte, growth: growth!, tokens: loss.tokens.before },
      outsideMass: loss.outsideMass,
    }),
  };
}

/** Below this share of the parameters, what is lost is rarely worth what is saved. */
const WORTH = 0.1;

function adviceOf({ parameters: { before, after } }: Trimming): string | null {
  const saved = 1 - after / before;
  if (saved >= WORTH) return null;
  return `trimming the vocabulary saves only ${formatPercent(saved)} of the parameters of this model; removing blocks saves more`;
}

/** @throws LimitError where the held-out text loses more than was allowed */
function requireWithin(
  { held }: Trimming,
  bits: number | undefined,
  { maxBitsGrowth, maxGrowth, min, out }: Options,
): void {
  const broken = [
    ...(bits !== undefined && bits > maxBitsGrowth
      ? [
          {
            why: `takes ${formatPercent(bits)} more bits per byte, where ${formatPercent(maxBitsGrowth)} are allowed`,
            allow: option('maxBitsGrowth', limitFor(bits)),
          },
        ]
      : []),
    ...(held.growth > maxGrowth
      ? [
          {
            why: `has ${formatNumber(held.growth, 4)} times as many tokens, where ${formatNumber(maxGrowth, 4)} are allowed`,
            allow: option('maxGrowth', limitFor(held.growth)),
          },
        ]
      : []),
  ];
  if (broken.length === 0) return;
  const least = min > 1 ? `, lower ${option('min')}` : '';
  throw new LimitError(
    `${basename(out!)} was not written`,
    `the held-out text ${broken.map(({ why }) => why).join(', and ')}; ${formatPercent(held.coverage)} of its tokens stay`,
    `Give more of ${option('texts')}, give ${option('vocabulary.keep', 'FILE')}${least}, or allow it: ` +
      `${broken.map(({ allow }) => allow).join(', ')}.`,
  );
}
