/** The model card (README.md) of a checkpoint with a trimmed vocabulary. */
import { formatCount, formatNumber, formatPercent } from '../../../format/numbers';
import type { Checkpoint } from '../../checkpoint/types';
import { codeSpan, inline, table } from '../../markdown';
import { modelName } from '../../records/record';
import type { Suffering } from '../../vocabulary/held-out';
import { cardFront, type InheritedFields, settingsTable } from '../card';
import { loadingOf } from '../loading';
import { requireArchitecture } from '../../checkpoint/open';

export interface VocabularyCardFacts {
  readonly size: number;
  readonly kept: number;
  readonly parameters: { readonly before: number; readonly after: number };
  /** Names of the counted texts. */
  readonly texts: readonly string[];
  readonly heldOut: {
    readonly file: string | null;
    readonly coverage: number;
    readonly growth: number;
    readonly bitsPerByte?: { readonly before: number; readonly after: number };
  };
  readonly examples: readonly Suffering[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly inherited: InheritedFields;
}

/** The text of the card. */
export function vocabularyCard(checkpoint: Checkpoint, facts: VocabularyCardFacts): string {
  const { size, kept, parameters, texts, heldOut, examples, settings, inherited } = facts;
  const shown = inline(modelName(checkpoint));
  const loading = loadingOf(checkpoint, [...requireArchitecture(checkpoint).layers.keys()]);
  const { file, coverage, growth, bitsPerByte } = heldOut;
  const lines = [
    `- tokens: ${formatCount(size)} before, ${formatCount(kept)} after`,
    `- parameters: ${formatCount(parameters.before)} before, ${formatCount(parameters.after)} after`,
    `- counted: ${texts.map(codeSpan).join(', ')}`,
    `- on ${file === null ? 'pieces of these texts that were not counted' : codeSpan(file)}: ${formatPercent(coverage)} of the tokens ` +
      `stay, and the text has ${formatNumber(growth, 4)} times as many`,
    ...(bitsPerByte
      ? [
          `- bits per byte of that text: ${formatNumber(bitsPerByte.before, 4)} before, ${formatNumber(bitsPerByte.after, 4)} after`,
        ]
      : []),
  ];
  return `${cardFront(checkpoint, ['trimmed-vocabulary', 'coppice'], inherited, loading)}
# ${shown}, ${formatCount(kept)} of ${formatCount(size)} tokens

This is ${shown} with the tokens that an application's texts need, made by Coppice. The rows of its embedding and its head are
the original's, byte for byte, and so are all other weights; none was retrained. A text whose tokens all stay has the same tokens and the
same logits as before. Any other text is written in smaller pieces, and the model reads it worse than before.

Perplexities of the two models do not compare: their tokens are others. Bits per byte of the same text do.

${loading.sentence} llama.cpp's converter does not know the tokenizer (it recognizes tokenizers by the ids of one text): write a GGUF
file with Coppice. \`coppice.json\` is the record of the run that made it.

## What stays, and what it costs

${lines.join('\n')}

${
  examples.length === 0
    ? ''
    : `${table(
        ['word', 'tokens before', 'after'],
        examples.map((word) => [word.text, String(word.before), String(word.after)]),
      )}\n\n`
}${settingsTable('Settings', settings)}`;
}
