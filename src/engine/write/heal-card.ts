/** The model card (README.md) of a checkpoint with healed weights: what was fitted on what, and what it brought. */
import { formatCount } from '../../format/numbers';
import { counted } from '../../format/words';
import type { Adapter } from '../adapter/adapter';
import { describeReduction, type Reduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import { HEAL_DEFAULTS, type HealMethod } from '../heal/methods';
import type { HealStages, Likeness } from '../heal/result';
import { type Choice, choiceSentence } from '../importance/choice';
import { codeSpan, inline, table } from '../markdown';
import { modelName } from '../records/record';
import { cardFront, type CardFacts, settingsTable } from './card';
import type { HealFacts } from './healed';
import { loadingOf, widthSentence } from './loading';

export interface HealCardFacts extends CardFacts {
  readonly facts: HealFacts;
  readonly choice?: Choice;
  readonly adapter?: Adapter;
}

const METHODS: Readonly<Record<HealMethod, string>> = {
  refit: 'the output projections of attention and FFN of the kept blocks after the first cut',
  fold: 'the Linear before each cut, into which one linear map was folded (ReplaceMe, Shopkhoev et al. 2025)',
  scalar: 'the output projections after each cut, divided by one factor (Prune&Comp, Chen et al. 2026)',
};

/** The same where a norm stands behind these projections. */
const METHODS_OF_NORMS: Readonly<Partial<Record<HealMethod, string>>> = {
  refit: `${METHODS.refit}, and the norms behind them`,
  scalar:
    'the norms behind the output projections after each cut, divided by one factor (Prune&Comp, Chen et al. 2026)',
};

/** The text of the card. */
export function healCard(
  checkpoint: Checkpoint,
  reduction: Reduction,
  { facts, choice, adapter, settings, inherited }: HealCardFacts,
): string {
  const shown = inline(modelName(checkpoint));
  const { kept, removed } = reduction;
  const before = kept.length + removed.length;
  const pruned = removed.length > 0;
  const healed = facts.weights === 'healed';
  const what = pruned ? `${shown} without ${removed.length} of its ${before} Transformer blocks` : shown;
  const title = `${shown}${pruned ? `, ${kept.length} of ${before} blocks` : ''}${healed ? ', healed' : ''}`;
  const tags = [...(pruned ? ['pruned', 'depth-pruning'] : []), ...(healed ? ['healed'] : []), 'coppice'];
  const merged = adapter ? ` A LoRA adapter of rank ${adapter.rank} is merged into its weights.` : '';
  const loading = loadingOf(checkpoint, kept);
  const narrower = widthSentence(checkpoint);
  return `${cardFront(checkpoint, tags, inherited, loading)}
# ${title}

This is ${what}, made by Coppice.${merged}${narrower === undefined ? '' : ` ${narrower}`} ${healed ? HEALED : PLAIN}
${pruned ? `\n\`\`\`\n${describeReduction(reduction).join('\n')}\n\`\`\`\n` : ''}
${loading.sentence} \`coppice.json\` is the record of the run that made it. Measure it on your own texts before
you use it.

## How it was healed

${lines(facts, checkpoint.architecture?.style.norms !== 'before').join('\n')}

${[facts.heldOut && measured(facts.heldOut, 'Rows that were not fitted'), measured(facts.fit, 'Fitted rows')]
  .filter((part) => part !== null)
  .join('\n\n')}

${settingsTable('Settings', settings, choice && choiceSentence(choice, removed))}The blocks were chosen and removed as in *Shortened LLaMA: A Simple Depth Pruning for Large Language Models* (Kim et al.,
2024, arXiv:2402.02834).
`;
}

const HEALED =
  'Its weights were corrected by\nleast squares, without training, so that the residual stream follows that of the original. Only weights changed.';
const PLAIN =
  'Its weights were to be corrected\nby least squares, but on rows that were not fitted the plain ones were better, so they were kept.';

function lines({ method, ridge, tokens, texts }: HealFacts, hasNorms: boolean): string[] {
  const names = texts.map(codeSpan).join(', ');
  const ofRefit = hasNorms ? HEAL_DEFAULTS.normRidge : 'by the number of tokens';
  const usual = method === 'fold' ? HEAL_DEFAULTS.foldRidge : ofRefit;
  const strength = ridge === 'auto' ? 'chosen on every fifth row' : (ridge ?? usual);
  return [
    `- method: ${method}, which corrects ${(hasNorms ? METHODS_OF_NORMS[method] : undefined) ?? METHODS[method]}`,
    `- text: ${formatCount(tokens)} tokens${names === '' ? '' : ` of ${names}`}`,
    ...(method === 'scalar' ? [] : [`- ridge: ${strength}`]),
  ];
}

/** A table of the measured stages. */
function measured({ rows, before, after, rounded }: HealStages, which: string): string {
  const row = (name: string, { ppl, kl, top1 }: Likeness): string[] => {
    return [name, digits(ppl), digits(kl), `${(100 * top1).toFixed(0)} %`];
  };
  const head = ['', 'perplexity', 'KL to the original', 'same next token'];
  const rowsOf = [row('pruned', before), row('healed', after), row('healed and rounded', rounded)];
  return `${which} (${counted(rows, 'row')}):\n\n${table(head, rowsOf)}`;
}

const digits = (value: number): string => value.toPrecision(4);
