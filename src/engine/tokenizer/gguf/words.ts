/**
 * How byte-level tokenizers cut a text into words. llama.cpp has the regular expressions in its own code, under the
 * names that a GGUF file gives as `tokenizer.ggml.pre`; tokenizer.json has the expressions themselves. This table is
 * for both directions.
 */

export interface Words {
  /** llama.cpp's names; the first is written. */
  readonly names: readonly string[];
  /** What cuts, in order: a regular expression, or the name of a stage of the tokenizers library. */
  readonly stages: readonly string[];
  /** A word that is a token is one, whatever its merges are. */
  readonly ignoreMerges: boolean;
  /** Whether a text begins with BOS if a file does not say so. */
  readonly addBos: boolean;
  /** The model was trained on normalised texts. llama.cpp does not normalise. */
  readonly normalizer?: 'NFC';
}

/** The stage that has GPT-2's expression and turns words into bytes. */
export const GPT2_STAGE = 'ByteLevel';
/** The stage that makes a word of every digit. */
export const DIGITS_STAGE = 'Digits';

// As they are written in the tokenizer.json of GPT-2, LLaMA 3, Mistral Nemo, GPT-4o, Qwen 3.5 and Seed.
const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;
const LLAMA3 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN2 = LLAMA3.replace('{1,3}', '');
const TEKKEN = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const GPT4O = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const QWEN35 = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
const DEEPSEEK_CODER = [
  String.raw`[\r\n]`,
  String.raw`\s?\p{L}+`,
  String.raw`\s?\p{P}+`,
  '[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+',
  DIGITS_STAGE,
];
const SEED = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+`;

/** llama.cpp's own choice for a file that names none. No model was trained with it, so its tokens differ from those of training. */
export const DEFAULT_WORDS: Words = {
  names: ['default'],
  stages: [String.raw`[\p{P}\$\+<=>\^~\|]+`, GPT2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'],
  ignoreMerges: false,
  addBos: false,
};

/** From llama.cpp's list: those whose expressions are these. */
export const KNOWN_WORDS: readonly Words[] = [
  {
    names: [
      'gpt-2',
      'phi-2',
      'olmo',
      'mpt',
      'jais',
      'exaone4',
      'a.x-4.0',
      'mellum',
      'gigachat',
      'trillion',
      'granite-docling',
    ],
    stages: [GPT2_STAGE],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ['smollm', 'starcoder', 'refact', 'command-r', 'codeshell', 'exaone', 'minerva-7b', 'mellum2'],
    stages: [DIGITS_STAGE, GPT2_STAGE],
    ignoreMerges: false,
    addBos: false,
  },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2'],
    stages: [LLAMA3],
    ignoreMerges: true,
    addBos: true,
  },
  { names: ['smaug-bpe', 'dbrx'], stages: [LLAMA3], ignoreMerges: false, addBos: false },
  { names: ['qwen2'], stages: [QWEN2], ignoreMerges: false, addBos: false, normalizer: 'NFC' },
  {
    names: ['deepseek-r1-qwen', 'kormo', 'megrez', 'stablelm2', 'hunyuan', 'grok-2', 'solar-open'],
    stages: [QWEN2],
    ignoreMerges: false,
    addBos: false,
  },
  { names: ['qwen35'], stages: [QWEN35], ignoreMerges: false, addBos: false },
  { names: ['seed-coder'], stages: [SEED], ignoreMerges: false, addBos: false },
  { names: ['deepseek-coder'], stages: DEEPSEEK_CODER, ignoreMerges: false, addBos: false },
  { names: ['tekken'], stages: [TEKKEN], ignoreMerges: true, addBos: true },
  { names: ['gpt-4o', 'llama4', 'kanana2'], stages: [GPT4O], ignoreMerges: false, addBos: false },
  DEFAULT_WORDS,
];

/** The words of a file's `tokenizer.ggml.pre`; undefined for a name that Coppice does not know. */
export const wordsNamed = (pre: string): Words | undefined => KNOWN_WORDS.find(({ names }) => names.includes(pre));
