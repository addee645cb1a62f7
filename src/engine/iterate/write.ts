/** Writes the result of an iterative pruning as an ordinary checkpoint: the last round's weights, rounded once. */
import { isObject } from '../../format/json';
import { formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import type { WeightDtype } from '../formats/dtype';
import { describeReduction, type Reduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import { inline, table } from '../markdown';
import type { JobOptions } from '../progress';
import { calibrationsOf } from '../records/calibrations';
import type { RunDetails } from '../records/details';
import { modelName, newRecord } from '../records/record';
import { readPatchFile } from '../weights/patch-file';
import { cardFront, inheritedFields, settingsTable } from '../write/card';
import { loadingOf, widthSentence } from '../write/loading';
import { writeModified } from '../write/modified';
import type { Written } from '../write/write-checkpoint';
import type { IterativeMethod } from './methods';
import type { IterativeOutcome } from './result';

export interface IteratedCheckpoint {
  readonly outcome: IterativeOutcome;
  /** File of the weights; undefined for the checkpoint's own. */
  readonly weights: string | undefined;
  readonly method: IterativeMethod;
  readonly criterion: string;
  readonly dtype?: WeightDtype;
  readonly details: RunDetails;
  readonly started: Date;
  /** Of the record. */
  readonly results: object;
}

/**
 * Writes the model to the folder `out`, which must not exist. Its record is of kind "iterate".
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError. No partial
 *   output remains
 */
export async function writeIterated(
  checkpoint: Checkpoint,
  out: string,
  made: IteratedCheckpoint,
  job: JobOptions,
): Promise<Reduction & Written> {
  const { outcome, weights, dtype, details, started, results } = made;
  const { removed } = outcome.rounds.at(-1)!;
  const patch = weights === undefined ? undefined : await readPatchFile(weights, checkpoint, job);
  const inputs = [...details.inputs, ...(await calibrationsOf(checkpoint))];
  const inherited = await inheritedFields(checkpoint);
  return writeModified(
    checkpoint,
    {
      removed,
      changes: patch ? [patch.patches] : [],
      dtype,
      notes: patch ? { 'coppice.iterated': patch.note.digest } : {},
      card: (reduction) => Promise.resolve(iteratedCard(checkpoint, reduction, made, inherited)),
      record: (reduction) =>
        newRecord({ ...details, inputs, kind: 'iterate', results: { ...results, ...reduction }, started }),
    },
    out,
    job,
  );
}

const WORDS: Readonly<Record<IterativeMethod, string>> = {
  lora: 'retrained with a LoRA adapter, which was merged',
  full: 'retrained with all its weights',
  refit: 'corrected by least squares',
  fold: 'corrected by one linear map for each cut (ReplaceMe, Shopkhoev et al. 2025)',
  scalar: 'corrected by one factor for each cut (Prune&Comp, Chen et al. 2026)',
  none: 'left as it was',
};

/** The model card: what each round removed, and what it cost. */
function iteratedCard(
  checkpoint: Checkpoint,
  reduction: Reduction,
  { outcome, method, criterion, details }: IteratedCheckpoint,
  inherited: readonly string[],
): string {
  const name = inline(modelName(checkpoint));
  const { removed, kept } = reduction;
  const before = removed.length + kept.length;
  const { rounds, full } = outcome;
  const tags = ['pruned', 'depth-pruning', ...(method === 'none' ? [] : ['healed']), 'coppice'];
  const rows = rounds.map(({ round, block, pruned, healed, steps }) => [
    String(round),
    String(block),
    formatNumber(pruned.ppl, 4),
    formatNumber(healed.ppl, 4),
    formatNumber(healed.kl, 3),
    `${(100 * healed.top1).toFixed(0)} %`,
    String(steps),
  ]);
  const head = ['round', 'block', 'perplexity before', 'after', 'KL to the original', 'same next token', 'steps'];
  const loading = loadingOf(checkpoint, kept);
  const narrower = widthSentence(checkpoint);
  return `${cardFront(checkpoint, tags, inherited, loading)}
# ${name}, ${kept.length} of ${before} blocks, pruned iteratively

This is ${name} without ${removed.length} of its ${before} Transformer blocks, made by Coppice. The blocks were removed one by one
by the criterion ${inline(criterion)}; after each the rest was ${WORDS[method]}, and scored again.${narrower === undefined ? '' : `\n${narrower}`}

\`\`\`
${describeReduction(reduction).join('\n')}
\`\`\`

${loading.sentence} \`coppice.json\` is the record of the run that made it. Measure it on your own texts before
you use it.

## ${counted(rounds.length, 'round')}

The original has a perplexity of ${formatNumber(full.ppl, 4)} on these rows.

${table(head, rows)}

${settingsTable('Settings', shown(details.settings))}The method is that of *Shortened LLaMA: A Simple Depth Pruning for Large Language Models* (Kim et al., 2024,
arXiv:2402.02834), §5.2.
`;
}

/** The settings for the card, with those of the training. What it says in words is not repeated. */
function shown({ training, removed: _removed, method: _method, ...settings }: Readonly<Record<string, unknown>>) {
  const { data: _data, ...trained } = isObject(training) ? training : { data: undefined };
  return { ...settings, ...trained };
}
