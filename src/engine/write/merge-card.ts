/** The model card (README.md) of a checkpoint with a merged adapter. */
import type { Checkpoint } from '../checkpoint/types';
import { cardFront, type CardFacts, settingsTable } from './card';
import { describeReduction, type Reduction } from '../checkpoint/reduction';
import { codeSpan, inline } from '../markdown';
import { loadingOf, widthSentence } from './loading';
import { modelName, type RunRecord } from '../records/record';
import type { Adapter } from '../adapter/adapter';
import type { PatchNote } from '../weights/patch-note';
import { pruningWords, trainingLines } from '../records/ancestry';

export interface MergeCardFacts extends Omit<CardFacts, 'choice'> {
  /** The record inside the checkpoint that the adapter was trained on, if any. */
  readonly pruning?: RunRecord;
  /** The record of the run that trained the adapter, if any. */
  readonly training?: RunRecord;
  /** The healed weights that the adapter lies on, if any. */
  readonly healed?: PatchNote;
}

/** The text of the card. */
export function mergeCard(
  checkpoint: Checkpoint,
  adapter: Adapter,
  reduction: Reduction,
  { settings, inherited, pruning, training, healed }: MergeCardFacts,
): string {
  const name = modelName(checkpoint);
  const { removed, kept } = reduction;
  const before = removed.length + kept.length;
  const pruned = removed.length > 0;
  const shown = inline(name);
  const title = pruned ? `${shown}, ${kept.length} of ${before} blocks, retrained` : `${shown}, retrained`;
  const what = pruned ? `${shown} without ${removed.length} of its ${before} Transformer blocks` : shown;
  const parent = pruningWords(name, pruning);
  const lines = trainingLines(training);
  const tags = [
    ...(pruned || parent ? ['pruned', 'depth-pruning'] : []),
    ...(healed ? ['healed'] : []),
    'lora',
    'coppice',
  ];
  const loading = loadingOf(checkpoint, kept);
  const narrower = widthSentence(checkpoint);
  return `${cardFront(checkpoint, tags, inherited, loading)}
# ${title}

This is ${what}, retrained: a LoRA adapter of rank ${adapter.rank} is
merged into its weights. ${healed ? healedWords(healed) : ''}All other weights are the original's${settings.dtype ? ', stored in another type' : ''}.
${narrower === undefined ? '' : `${narrower}\n`}${parent ? `${parent}\n` : ''}${pruned ? `\n\`\`\`\n${describeReduction(reduction).join('\n')}\n\`\`\`\n` : ''}
${loading.sentence} \`coppice.json\` is the record of the run that made it. Measure it on your own texts before
you use it.

${lines.length > 0 ? `## How it was retrained\n\n${lines.map((line) => `- ${line}`).join('\n')}\n\n` : ''}${settingsTable('How it was merged', settings)}The method is that of *Shortened LLaMA: A Simple Depth Pruning for Large Language Models* (Kim et al., 2024,
arXiv:2402.02834) and of *LoRA: Low-Rank Adaptation of Large Language Models* (Hu et al., 2021, arXiv:2106.09685).
`;
}

function healedWords({ method, texts }: PatchNote): string {
  const names = texts.length === 0 ? '' : ` on ${texts.map(({ name }) => codeSpan(name)).join(', ')}`;
  return `Before that, weights were corrected by least squares (${inline(method)})${names}.\n`;
}
