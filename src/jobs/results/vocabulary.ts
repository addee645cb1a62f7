/** The result of "vocabulary": which tokens stay, what that saves, and what it costs on text that was not counted. */
import { list, nullable, number, oneOf, optional, real, seconds, shape, text, whole, type ValueOf } from '../result';

const pairOf = (words: string, unit?: string) =>
  shape(
    {
      before: whole('of the original', { ...(unit && { unit }) }),
      after: whole('of the trimmed model', { ...(unit && { unit }), better: 'less' }),
    },
    words,
  );

const bits = shape(
  {
    before: real<number>('of the original', { unit: 'bits/byte', better: 'less' }),
    after: real<number>('of the trimmed model, on its own spelling of the text', { unit: 'bits/byte', better: 'less' }),
    growth: real<number>('how much more that is, as a share', { better: 'less' }),
    tokens: whole('predicted tokens of the original'),
  },
  'bits per byte of the beginning of the held-out text',
);

const heldOut = shape(
  {
    file: nullable(text('its name; null for pieces of the texts')),
    pieces: whole('pieces: a piece ends after a run of line breaks'),
    covered: whole('pieces whose tokens all stay'),
    equal: whole('those that have the same tokens as before, one to one'),
    coverage: number('share of tokens that stay', { better: 'more' }),
    growth: number('tokens after, over tokens before', { better: 'less' }),
    unknown: whole('unknown tokens that were none before'),
    bitsPerByte: optional(bits),
    outsideMass: optional(real<number>('mean probability that the original gives tokens that go', { better: 'less' })),
  },
  'what the texts that were not counted become',
);

const least = shape(
  {
    min: whole('least count of a token'),
    kept: whole('tokens'),
    parameters: whole('parameters', { better: 'less' }),
    coverage: number('share of the held-out tokens that stay', { better: 'more' }),
    growth: optional(
      number('held-out tokens after, over those before; absent where they were not encoded', { better: 'less' }),
    ),
  },
  'what a least count comes to',
);

export const vocabularyResult = shape(
  {
    kind: oneOf(['bpe-bytes', 'bpe-fallback', 'bpe', 'unigram'], 'how text becomes tokens'),
    size: whole('tokens of the original'),
    kept: whole('tokens that stay', { better: 'less' }),
    seen: whole('tokens that the texts have'),
    specials: whole('special tokens'),
    alphabet: whole('tokens of bytes or single characters, which any text can be written with'),
    closure: whole('tokens that others are made of'),
    filled: whole('tokens that fill the multiple'),
    merges: pairOf('merges'),
    min: whole('the least count of a token'),
    multiple: whole('the multiple of tokens'),
    parameters: pairOf('parameters'),
    asBlocks: shape(
      { count: number('blocks that have as many parameters as went'), of: whole('blocks of the model') },
      'what removing blocks would have to do for it',
    ),
    bytes: pairOf('bytes of the model’s files', 'bytes'),
    texts: shape({ files: whole('texts'), tokens: whole('their tokens') }, 'what was counted'),
    heldOut,
    examples: list(
      shape(
        {
          text: text('the word'),
          before: whole('its tokens before'),
          after: whole('its tokens after'),
          count: whole('how often the held-out text has it'),
        },
        'a word',
      ),
      'words of the held-out text that suffer most',
    ),
    counts: list(
      shape(
        { from: whole('least count'), to: whole('largest count'), tokens: whole('tokens that occur so often') },
        'tokens by how often they occur',
      ),
      'how often the texts use their tokens',
    ),
    table: list(least, 'what other least counts come to; empty where a model is written'),
    advice: nullable(text('why it is not worth it here; null if it is')),
    written: nullable(text('file or folder of the trimmed model, absolute')),
    verified: optional(
      shape(
        {
          logitsDifference: nullable(
            real<number>('largest difference of two logits of kept tokens; null if no session was opened', {
              better: 'less',
            }),
          ),
          piecesEqual: whole('held-out pieces that the written tokenizer encodes as before'),
        },
        'the written model beside the original',
      ),
    ),
    seconds: seconds('seconds of the whole job'),
  },
  'which tokens stay, what that saves, and what it costs',
);
export type VocabularyResult = ValueOf<typeof vocabularyResult>;
