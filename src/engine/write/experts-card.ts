/** The model card (README.md) of a checkpoint with fewer experts. */
import { formatCount, formatNumber } from '../../format/numbers';
import { numberRanges } from '../../format/ranges';
import { keptBlocks } from '../checkpoint/block-list';
import type { KeptExperts } from '../checkpoint/kept-experts';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { codeSpan, inline, table } from '../markdown';
import { modelName } from '../records/record';
import { type CardFacts, cardFront, settingsTable } from './card';
import { loadingOf } from './loading';

export interface ExpertsCardFacts extends Omit<CardFacts, 'choice'> {
  /** "reap" */
  readonly criterion: string;
  readonly kept: KeptExperts;
  readonly removed: readonly number[];
  readonly experts: { readonly before: number; readonly after: number };
  readonly parameters: { readonly before: number; readonly after: number };
  /** The KL divergence on held-out rows without and with factors, if kept experts have some. */
  readonly rescaled?: { readonly without: number; readonly with: number };
  /** Name of the text whose tokens were routed. */
  readonly text?: string;
  /** Mean token loss on a text, before and after. */
  readonly loss?: { readonly text: string; readonly before: number; readonly after: number };
}

const CRITERIA: Readonly<Record<string, string>> = {
  reap: 'the mean of their weights times the norm of what they give, over the tokens routed to them (*REAP*, Lasby et al., 2025, arXiv:2510.13999)',
  frequency: 'how many tokens are routed to them',
  random: 'chance',
};

/** The text of the card. */
export function expertsCard(checkpoint: Checkpoint, facts: ExpertsCardFacts): string {
  const { criterion, kept, removed, experts, parameters, rescaled, text, loss, settings, inherited } = facts;
  const shown = inline(modelName(checkpoint));
  const blocks = requireArchitecture(checkpoint).layers.length;
  const loading = loadingOf(checkpoint, keptBlocks(blocks, removed));
  const tags = ['pruned', 'expert-pruning', ...(removed.length > 0 ? ['depth-pruning'] : []), 'coppice'];
  const without = removed.length > 0 ? ` and without ${removed.length} of its ${blocks} blocks` : '';
  const lines = [
    `- experts of a block: ${experts.before} before, ${experts.after} after, by ${CRITERIA[criterion] ?? inline(criterion)}`,
    ...(removed.length > 0 ? [`- blocks left out: ${numberRanges(removed)}`] : []),
    ...(text === undefined ? [] : [`- text: ${codeSpan(text)}`]),
    `- parameters: ${formatCount(parameters.before)} before, ${formatCount(parameters.after)} after`,
    ...(loss
      ? [
          `- mean token loss on ${codeSpan(loss.text)}: ${formatNumber(loss.before, 5)} before, ${formatNumber(loss.after, 5)} after`,
        ]
      : []),
    ...(rescaled
      ? [
          `- KL divergence from the original on rows that were not fitted: ${formatNumber(rescaled.without, 5)} without factors, ${formatNumber(rescaled.with, 5)} with them`,
        ]
      : []),
  ];
  const changed = rescaled
    ? 'Each kept expert was rescaled: its down_proj was multiplied by a factor that was fitted by least squares. All other weights that are\nleft are'
    : 'All weights that are\nleft are';
  return `${cardFront(checkpoint, tags, inherited, loading)}
# ${shown}, ${experts.after} of ${experts.before} experts

This is ${shown} with ${experts.after} of the ${experts.before} experts of each block${without}, made by Coppice. ${changed} the original's, byte for byte; none was retrained. Experts were renumbered, routers lost the rows of those that are gone, and
the config follows.

Expect worse text than the original's; the more experts are gone, the worse. Measure before you use it. ${loading.sentence}
\`coppice.json\` is the record of the run that made it.

## How experts were chosen

${lines.join('\n')}

${settingsTable('Settings', settings)}## What each block keeps

${table(
  ['block', 'experts'],
  [...kept]
    .filter(([block]) => !removed.includes(block))
    .map(([block, numbers]) => [String(block), numberRanges(numbers)]),
)}
`;
}
