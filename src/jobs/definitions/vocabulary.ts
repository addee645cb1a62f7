/** Trims the vocabulary of a model to the tokens that an application's texts need. */
import { isObject } from '../../format/json';
import { LANGUAGES } from '../../format/languages';
import { formatBytes, formatPercent } from '../../format/numbers';
import { l10n } from '../../l10n';
import { joined } from '../about';
import { VOCABULARY_LIMITS } from '../../format/vocabularies';
import { defineJob } from '../define';
import { numberFact } from '../facts';
import { amount, choice, file, flag, folder, list, whole } from '../option';
import { ofApplication } from '../options/application';
import { compute } from '../options/compute';
import { source } from '../options/model';
import { vocabularyResult } from '../results/vocabulary';

const options = {
  ...source,
  texts: list(
    file('a text'),
    'texts of the application (UTF-8, or records of JSON), whose tokens stay: all that it has; several files, or the flag several times',
    {
      noun: () => l10n.t('the texts of the application'),
      repeated: true,
      several: true,
      placeholder: 'file',
      required: true,
      unless: 'application',
    },
  ),
  application: ofApplication('its judging rows are held out', 'texts', 'heldOut'),
  heldOut: file('text that shows what is lost, and is not counted (default: every tenth piece of the texts)', {
    noun: () => l10n.t('a text that is held out'),
  }),
  min: whole('keep tokens that occur at least n times', {
    default: 1,
    noun: () => l10n.t('the least count of a token'),
    recorded: true,
  }),
  keep: file('a list of words and texts whose tokens stay too, one a line', {
    noun: () => l10n.t('the words that stay'),
    placeholder: 'file',
  }),
  keepLanguages: list(
    choice(LANGUAGES, 'a language'),
    `also keep all tokens that are written with the letters of these languages: ${LANGUAGES.join(', ')}`,
    { noun: () => l10n.t('the languages that stay'), placeholder: 'list', recorded: true },
  ),
  multiple: whole('fill the vocabulary up to a multiple of n with the most frequent other tokens', {
    default: 64,
    noun: () => l10n.t('the multiple of tokens'),
    recorded: true,
  }),
  bits: flag('do not measure bits per byte: then no session is opened, and only tokens are counted', {
    default: true,
    noun: () => l10n.t('bits per byte'),
    recorded: true,
  }),
  limit: whole('measure bits per byte on the first n windows of the held-out text', {
    default: 32,
    noun: () => l10n.t('number of windows'),
    recorded: true,
  }),
  maxBitsGrowth: amount('write nothing where the held-out text takes more bits per byte, by this share', {
    default: VOCABULARY_LIMITS.bitsGrowth,
    noun: () => l10n.t('the limit of bits per byte'),
    placeholder: 'share',
    recorded: true,
  }),
  maxGrowth: amount('write nothing where the held-out text has more than this times as many tokens', {
    default: VOCABULARY_LIMITS.growth,
    noun: () => l10n.t('the limit of tokens'),
    placeholder: 'times',
    recorded: true,
  }),
  out: folder(
    'GGUF file, or folder of the new checkpoint, as the model is; it must not exist. Without it nothing is written',
    {
      writes: true,
      usual: 'always',
      noun: () => l10n.t('the trimmed model'),
    },
  ),
  ...compute,
};

export const vocabulary = defineJob({
  kind: 'vocabulary',
  summary: 'keep only the tokens that an application needs',
  description:
    'Keeps the rows of the embedding and the head whose tokens the texts of an application use, with everything that these tokens are ' +
    'made of. Nothing is trained, and nothing quantized again: rows are copied as they are, so a text whose tokens all stay gets the same ' +
    'tokens and the same logits. Any other text can still be written, in smaller pieces, which costs more than its length tells: that is ' +
    'measured on text that was not counted. The source never changes.',
  notes:
    'Byte-level BPE, BPE with byte tokens, and Unigram can be trimmed. A GGUF file gives a GGUF file, a folder gives a folder; export\n' +
    'writes other formats from it. Removing blocks, healing and training work on the trimmed model as on any other.',
  examples: [
    './gemma-3-270m.gguf --texts chats.jsonl help.md --out gemma-help.gguf',
    './SmolLM2-135M --texts prose.txt --held-out test.txt',
    './SmolLM2-135M --application ./logs --keep words.txt --out ./SmolLM2-trimmed',
    './gemma-3-270m.gguf --texts chats.jsonl --keep-languages en,de --json',
  ],
  noun: () => l10n.t('Vocabulary'),
  title: (model, { out }) =>
    out === undefined
      ? l10n.t('Counting the vocabulary of {0}', model)
      : l10n.t('Trimming the vocabulary of {0}', model),
  done: (model, { out }) =>
    out === undefined ? l10n.t('Counted the vocabulary of {0}', model) : l10n.t('Trimmed the vocabulary of {0}', model),
  icon: 'whole-word',
  made: { as: 'pruned', icon: 'whole-word', words: () => l10n.t('vocabulary trimmed') },
  makes: ({ out }) => typeof out === 'string',
  step: 'trimmed',
  about: (result, { written }) => joined(keptWords(result), bitsWords(result), written),
  did: () => 'its vocabulary trimmed',
  facts: ({ kept, size, heldOut, parameters, bytes }) => [
    ...numberFact('tokens', size),
    ...numberFact('kept tokens', kept),
    ...(isObject(parameters) ? numberFact('parameters', parameters.after) : []),
    ...(isObject(bytes) ? numberFact('bytes', bytes.after, formatBytes) : []),
    ...(isObject(heldOut)
      ? [
          ...numberFact('held-out tokens that stay', heldOut.coverage, formatPercent),
          ...(isObject(heldOut.bitsPerByte)
            ? [
                ...numberFact('bits per byte of the held-out text, before', heldOut.bitsPerByte.before),
                ...numberFact('bits per byte of the held-out text, after', heldOut.bitsPerByte.after),
              ]
            : []),
        ]
      : []),
  ],
  options,
  application: (path) => ({ texts: [path] }),
  result: vocabularyResult,
});

const keptWords = ({ kept, size }: { readonly kept?: unknown; readonly size?: unknown }): string =>
  typeof kept === 'number' && typeof size === 'number' ? l10n.t('{0} of {1} tokens', kept, size) : '';

function bitsWords({ heldOut }: { readonly heldOut?: unknown }): string {
  if (!isObject(heldOut) || !isObject(heldOut.bitsPerByte)) return '';
  const { growth } = heldOut.bitsPerByte;
  return typeof growth === 'number' ? l10n.t('bits per byte × {0}', (1 + growth).toFixed(3)) : '';
}
