/**
 * Instruction data in the Alpaca prompt (Taori et al. 2023), with the loss on the response only, as in Shortened
 * LLaMA's `src/lora_retrain.py`.
 *
 * As there, the prompt's tokens are counted by encoding the prompt separately, without EOS. Rows are cut at the length,
 * and EOS is appended if it fits.
 */
import { type Example, exampleWithTargets } from './example';
import { encodeText } from '../../tokenizer/bos';
import type { EncodingOptions, TextEncoder } from './options';

export interface Instruction {
  readonly instruction: string;
  /** The text that the instruction refers to; empty when there is none. */
  readonly input: string;
  readonly output: string;
}

/** How an instruction is written: in Alpaca's template, or without one (`--no_instruction` in the official code). */
export type PromptStyle = 'alpaca' | 'plain';

/** The text before and after the point where the model begins to answer. */
interface PromptedText {
  readonly prompt: string;
  readonly response: string;
}

export function promptedText(record: Instruction, style: PromptStyle): PromptedText {
  return style === 'alpaca' ? alpacaText(record) : plainText(record);
}

function alpacaText({ instruction, input, output }: Instruction): PromptedText {
  const prompt =
    input === ''
      ? 'Below is an instruction that describes a task. ' +
        'Write a response that appropriately completes the request.\n\n' +
        `### Instruction:\n${instruction}\n\n### Response:\n`
      : 'Below is an instruction that describes a task, paired with an input that provides further context. ' +
        'Write a response that appropriately completes the request.\n\n' +
        `### Instruction:\n${instruction}\n\n### Input:\n${input}\n\n### Response:\n`;
  return { prompt, response: output };
}

/**
 * Without a template: "Name a colour: red". A colon replaces the instruction's full stop, or is added when the
 * instruction ends without punctuation; an input that ends without punctuation gets a full stop. The space belongs to
 * the response, as in most tokenizers.
 */
function plainText({ instruction, input, output }: Instruction): PromptedText {
  const asked = /[:?!]$/.test(instruction) ? instruction : `${instruction.replace(/\.$/, '')}:`;
  const about = input === '' || /[.:?!]$/.test(input) ? input : `${input}.`;
  return { prompt: about === '' ? asked : `${asked} ${about}`, response: output === '' ? '' : ` ${output}` };
}

/** The example of one record, at most `length` tokens. It has no target when the prompt alone fills that length. */
export async function instructionExample(
  record: Instruction,
  style: PromptStyle,
  encoder: TextEncoder,
  { length, eosTokenId, beginning }: EncodingOptions,
): Promise<{ example: Example; truncated: boolean }> {
  const { prompt, response } = promptedText(record, style);
  const promptIds = await encodeText(encoder, prompt, beginning);
  const promptTokens = promptIds.at(-1) === eosTokenId ? promptIds.length - 1 : promptIds.length;
  const all = await encodeText(encoder, prompt + response, beginning);
  const ids = all.slice(0, length);
  if (eosTokenId !== undefined && ids.length < length && ids.at(-1) !== eosTokenId) ids.push(eosTokenId);
  const example = exampleWithTargets(ids, [{ start: promptTokens, end: ids.length }]);
  return { example, truncated: all.length > length };
}
