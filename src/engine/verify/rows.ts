/**
 * The rows of tokens that a verification compares on: the same for every run over one model. Tokens drawn by a fixed seed
 * reach words that no text has; a fixed text reaches what the model is good at.
 */
import type { Architecture } from '../checkpoint/architecture';
import { Random } from '../random';
import type { Tokenizer } from '../tokenizer/tokenizer';

/** Positions of a row, unless the model has less room. */
const LENGTH = 64;
const SEED = 1;

/** Tokens of a continuation, and of the prompt before it. */
const GREEDY_TOKENS = 16;
const PROMPT_TOKENS = 16;

/** Long enough for 64 tokens of any vocabulary that has words. */
const TEXT =
  'Once upon a time there was a small wood at the edge of a village. Every few years the people cut the old hazel ' +
  'trees down to the ground, and every spring new shoots came out of the stumps, straight and strong. “Why do you cut ' +
  'them?” asked a girl named Lily. “So that they grow again,” said her grandfather, and he gave her the saw. In 1742 ' +
  'the wood had 30 trees; today it has 24, and the light reaches the flowers between them.';

export interface VerificationRows {
  /** All of one length. */
  readonly rows: readonly (readonly number[])[];
  /** What a continuation starts from, and how many tokens follow. */
  readonly prompt: readonly number[];
  readonly count: number;
  /** Whether a row is of a text. */
  readonly hasText: boolean;
}

/**
 * @param most positions of a row: where a file cannot say the windows of a model, only positions within them agree; and an ONNX
 *   model may have fewer than its source
 * @param tokenizer of the model; without it all rows are drawn
 */
export async function verificationRows(
  { vocabulary, context }: Pick<Architecture, 'vocabulary' | 'context'>,
  tokenizer: Pick<Tokenizer, 'encode'> | undefined,
  most = LENGTH,
): Promise<VerificationRows> {
  const length = Math.max(1, Math.min(LENGTH, most, context));
  const random = new Random(SEED);
  const drawn = (): number[] => Array.from({ length }, () => random.below(vocabulary));
  const rows = Array.from({ length: Math.ceil(LENGTH / length) }, drawn);
  const text = tokenizer === undefined ? [] : await tokenizer.encode(TEXT, { addSpecialTokens: true });
  const hasText = text.length >= length && text.every((id) => id < vocabulary);
  if (hasText) rows.push(text.slice(0, length));
  const prompt = rows[rows.length - 1].slice(0, Math.max(1, Math.min(PROMPT_TOKENS, Math.floor(length / 2))));
  const count = Math.max(1, Math.min(GREEDY_TOKENS, Math.min(most, context) - prompt.length));
  return { rows, prompt, count, hasText };
}
