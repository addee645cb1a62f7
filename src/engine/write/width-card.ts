/** The model card (README.md) of a checkpoint that was pruned in width. */
import { formatCount, formatNumber } from '../../format/numbers';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { asStored, groupsOf, losesHeads } from '../checkpoint/width';
import { plainShape } from '../checkpoint/kinds/plain';
import { codeSpan, inline, table } from '../markdown';
import { modelName } from '../records/record';
import { type CardFacts, cardFront, settingsTable } from './card';
import { type Loading, widthSentence } from './loading';
import type { WidthFacts, WidthSizes } from './width';

export interface WidthCardFacts extends Omit<CardFacts, 'choice'> {
  readonly facts: WidthFacts;
  readonly sizes: WidthSizes;
  readonly loading: Loading;
}

/** What is known of each method; another is named as it is. */
const METHODS: Readonly<Record<string, string>> = {
  'llm-pruner': '*LLM-Pruner: On the Structural Pruning of Large Language Models* (Ma et al., 2023, arXiv:2305.11627)',
  flap: '*Fluctuation-based Adaptive Structured Pruning for Large Language Models* (An et al., 2024, arXiv:2312.11983)',
  'wanda-sp':
    'Wanda-sp, the structured form of *A Simple and Effective Pruning Approach for Large Language Models* (Sun et al., 2024, arXiv:2306.11695)',
};

/** The text of the card. */
export function widthCard(
  checkpoint: Checkpoint,
  { facts, sizes, loading, settings, inherited }: WidthCardFacts,
): string {
  const shown = inline(modelName(checkpoint));
  const { method, ratio, calibration = [], warnings = [], meanNll, ppl } = facts;
  const compensated = checkpoint.narrowing?.width.biases !== undefined;
  const lines = [
    `- method: ${METHODS[method] ?? inline(method)}${ratio === undefined ? '' : `, ratio ${formatNumber(ratio, 4)}`}`,
    ...(calibration.length > 0 ? [`- text: ${calibration.map(codeSpan).join(', ')}`] : []),
    `- parameters: ${formatCount(sizes.parametersBefore)} before, ${formatCount(sizes.parametersAfter)} after`,
    ...(meanNll === undefined ? [] : [`- mean token loss on this text: ${formatNumber(meanNll, 5)}`]),
    ...(ppl === undefined ? [] : [`- perplexity of this text: ${formatNumber(ppl, 4)}`]),
    ...warnings.map((warning) => `- ${inline(warning)}`),
  ];
  return `${cardFront(checkpoint, ['pruned', 'width-pruning', 'coppice'], inherited, loading)}
# ${shown}, narrower

This is ${shown} with fewer attention heads and neurons, made by Coppice. ${widthSentence(checkpoint)} What is left of its
weights are the original's numbers; none was retrained.${compensated ? ' Biases of o_proj and down_proj stand for the mean of what was removed.' : ''}

${loading.sentence} \`coppice.json\` is the record of the run that made it. Measure it on your own texts before you use it.

## How it was pruned

${lines.join('\n')}

${settingsTable('Settings', settings)}## What each block keeps

${table(['block', 'groups of heads', 'neurons'], keptRows(checkpoint))}

${groupSentence(checkpoint)} The method was a rival in *Shortened LLaMA: A Simple Depth Pruning for Large
Language Models* (Kim et al., 2024, arXiv:2402.02834).
`;
}

function groupSentence(checkpoint: Checkpoint): string {
  const canLose = requireArchitecture(asStored(checkpoint)).layers.map(plainShape).every(losesHeads);
  return canLose
    ? 'A group is a key-value head with its query heads.'
    : 'A group is all heads of a block, because a norm covers their queries at once.';
}

function keptRows(checkpoint: Checkpoint): string[][] {
  const { layers } = requireArchitecture(asStored(checkpoint));
  const { width } = checkpoint.narrowing!;
  return width.layers.map(({ groups, neurons }, block) => {
    const shape = plainShape(layers[block]);
    const [all, { ffn }] = [groupsOf(shape), shape];
    const which = groups.length === all ? '' : ` (${groups.join(', ')})`;
    return [String(block), `${groups.length} of ${all}${which}`, `${neurons.length} of ${ffn}`];
  });
}
