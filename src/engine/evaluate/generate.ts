/** Continues a prompt token by token, with speeds measured as a user would feel them. */
import { UserError } from '../errors';
import { Work, type JobOptions } from '../progress';
import { Random } from '../random';
import { Decoder } from '../transformer/decoder';
import type { Model } from '../transformer/model';
import { fullView, type View } from '../transformer/view';
import { argMax, sample, type Sampling } from './sample';

export interface GenerateOptions extends Sampling {
  readonly maxNewTokens: number;
  /** Always the likeliest token, instead of drawing. */
  readonly greedy?: boolean;
  /** Of the drawing. */
  readonly seed?: number;
  /** Go on after a token that ends the text. */
  readonly ignoreEos?: boolean;
  /** The model to write with; the whole one when undefined. */
  readonly view?: View;
  /** Called with each new token as soon as it is chosen. */
  readonly onToken?: (id: number) => void;
}

export interface Generated {
  /** The new tokens; one that ends the text is not among them. */
  readonly ids: readonly number[];
  /** Why it ended: the model said so, the wanted number was reached, or its context is full. */
  readonly stopped: 'eos' | 'length' | 'context';
  /** Seconds from the prompt to its first new token. */
  readonly timeToFirstToken: number;
  readonly prefillTokensPerSecond: number;
  /** After the first token; NaN when there was no second. */
  readonly decodeTokensPerSecond: number;
}

/**
 * @param promptIds with the special tokens that the model wants at the start of a text
 * @throws UserError for an empty prompt or one that fills the model's context
 * @throws CancelledError
 */
export async function generate(
  model: Model,
  promptIds: readonly number[],
  options: GenerateOptions,
  job: JobOptions = {},
): Promise<Generated> {
  const { context, blocks, eosTokenIds } = model.architecture;
  const { maxNewTokens, view = fullView(blocks), ignoreEos = false } = options;
  checkPrompt(promptIds.length, context);
  const room = Math.min(maxNewTokens, context - promptIds.length);
  const random = new Random(options.seed ?? 0);
  const choose = (logits: Float32Array): number => (options.greedy ? argMax(logits) : sample(logits, options, random));
  const work = new Work(job, room, 'tokens', 'generating');
  const decoder = await Decoder.open(model, view, promptIds.length + room);
  try {
    const ids: number[] = [];
    let stopped: Generated['stopped'] = room < maxNewTokens ? 'context' : 'length';
    const start = performance.now();
    let logits = await decoder.append(promptIds, job.signal);
    const prefilled = performance.now();
    while (ids.length < room) {
      const id = choose(logits);
      if (!ignoreEos && eosTokenIds.includes(id)) {
        stopped = 'eos';
        break;
      }
      ids.push(id);
      options.onToken?.(id);
      work.advance(1);
      if (ids.length < room) logits = await decoder.append([id]);
    }
    const end = performance.now();
    return {
      ids,
      stopped,
      timeToFirstToken: (prefilled - start) / 1000,
      prefillTokensPerSecond: (promptIds.length * 1000) / (prefilled - start),
      decodeTokensPerSecond: ids.length > 1 ? ((ids.length - 1) * 1000) / (end - prefilled) : NaN,
    };
  } finally {
    await decoder.close();
  }
}

function checkPrompt(tokens: number, context: number): void {
  if (tokens === 0) {
    throw new UserError('There is no prompt', 'it has no tokens', 'Give at least one word or one token id.');
  }
  if (tokens >= context) {
    const why = `it has ${tokens} tokens, the model's context is ${context}`;
    throw new UserError('The prompt does not fit into the model', why, 'Shorten the prompt.');
  }
}
