/** The results of "generate" and "samples": continuations, and what they took. */
import {
  either,
  list,
  nullable,
  number,
  numbers,
  oneOf,
  optional,
  real,
  seconds,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
import { columnInfo, computed, precision, removed } from './common';

/** Why a text ended: the model said so, its length or context was reached, or the user stopped it. */
const STOPS = ['eos', 'length', 'context', 'cancelled'] as const;

const words = {
  ids: numbers('new tokens'),
  text: nullable(text('the text; null where there is no tokenizer')),
};
const stopped = oneOf(STOPS, 'why it ended');

/** Times are the model's own, without those that others computed meanwhile. */
const speed = {
  timeToFirstToken: real('seconds from the prompt to its first new token', { unit: 's', better: 'less' }),
  prefillTokensPerSecond: real('speed of reading the prompt', { unit: 'tokens/s', better: 'more' }),
  decodeTokensPerSecond: real('speed of writing, after the first token', { unit: 'tokens/s', better: 'more' }),
};

export const generated = shape({ ...words, stopped, ...speed }, 'a continuation, and what it took');
export type GeneratedText = ValueOf<typeof generated>;

export const draftUse = shape(
  {
    model: text('the draft: int4, int8, the blocks that it lacks, or the name of a model'),
    precision,
    length: whole('the most tokens that it proposes at once'),
    rounds: whole('passes of the model over what was proposed', { better: 'less' }),
    drafted: whole('proposed tokens'),
    accepted: whole('those of them that the model took', { better: 'more' }),
  },
  'what a draft did',
);
export type DraftUse = ValueOf<typeof draftUse>;

export const oneText = shape(
  {
    ...words,
    stopped,
    ...speed,
    promptIds: numbers('tokens of the prompt'),
    removed,
    precision,
    draft: optional(draftUse),
  },
  'a continuation of a prompt',
);
export type GenerateResult = ValueOf<typeof oneText>;

const promptText = shape(
  { ...words, stopped, prompt: text('the prompt'), promptTokens: whole('its tokens') },
  'a prompt, and its continuation',
);
export type PromptText = ValueOf<typeof promptText>;

export const severalTexts = shape(
  {
    texts: list(promptText, 'continuations in the order of the prompts'),
    out: nullable(text('the file that they were written to, absolute; null without one')),
    batch: whole('texts side by side'),
    removed,
    precision,
    tokensPerSecond: number('new tokens of all texts a second, reading the prompts included', {
      unit: 'tokens/s',
      better: 'more',
    }),
    seconds: seconds('seconds of all texts'),
  },
  'continuations of a file of prompts',
);
export type PromptsResult = ValueOf<typeof severalTexts>;

export const generateResult = either(oneText, severalTexts, 'a continuation, or those of a file of prompts');

const sample = shape(
  {
    ...words,
    ...speed,
    stopped: oneOf([...STOPS, 'failed'], 'why it ended'),
    failure: optional(text("why it failed; the other columns' texts stand")),
    prompt: whole('number of the prompt, from 0'),
    column: whole('number of the column, from 0'),
    promptTokens: whole('tokens of the prompt'),
    draft: optional(draftUse),
  },
  'a text',
);
export type SampleText = ValueOf<typeof sample>;

export const samplesResult = shape(
  {
    samples: list(sample, 'every prompt by every column'),
    columns: list(shape(columnInfo, 'a model'), 'the columns'),
    precision,
    seconds: { ...computed.seconds, words: 'all columns together, from the first prompt to the last token' },
  },
  'continuations side by side',
);
export type SamplesResult = ValueOf<typeof samplesResult>;
