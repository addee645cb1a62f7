/** The model card (README.md) of an exported checkpoint: of what it is made, and what came of comparing it. */
import { describeReduction, type Reduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import { codeSpan, inline } from '../markdown';
import { modelName } from '../records/record';
import { type CardFacts, cardFront, settingsTable } from './card';
import { loadingOf, widthSentence } from './loading';

export interface ExportCardFacts extends Omit<CardFacts, 'choice'> {
  /** Names of the files of healed weights and of the adapter, if there are any. */
  readonly onTop: readonly string[];
  /** What the comparison found and other programs did, in sentences. */
  readonly findings: readonly string[];
}

/** The text of the card. */
export function exportCard(
  checkpoint: Checkpoint,
  reduction: Reduction,
  { settings, inherited, onTop, findings }: ExportCardFacts,
): string {
  const shown = inline(modelName(checkpoint));
  const { removed, kept } = reduction;
  const before = removed.length + kept.length;
  const pruned = removed.length > 0;
  const loading = loadingOf(checkpoint, kept);
  const narrower = widthSentence(checkpoint);
  const tags = [...(pruned ? ['pruned', 'depth-pruning'] : []), 'coppice'];
  const title = pruned ? `${shown}, ${kept.length} of ${before} blocks` : shown;
  const what = pruned ? `${shown} without ${removed.length} of its ${before} Transformer blocks` : shown;
  const changed = onTop.length === 0 ? '' : ` with the weights of ${onTop.map(codeSpan).join(' and ')}`;
  return `${cardFront(checkpoint, tags, inherited, loading)}
# ${title}

This is ${what}${changed}, exported by Coppice.
${narrower === undefined ? '' : `${narrower}\n`}${pruned ? `\n\`\`\`\n${describeReduction(reduction).join('\n')}\n\`\`\`\n` : ''}
${loading.sentence} \`coppice.json\` is the record of the run that made it.

${findings.length === 0 ? '' : `## What was checked\n\n${findings.map((line) => `- ${line}`).join('\n')}\n\n`}${settingsTable('How it was exported', settings)}`;
}
