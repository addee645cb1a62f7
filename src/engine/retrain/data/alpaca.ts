/**
 * Instruction data (spec §1.11): the Alpaca prompt (Taori et al., 2023), with the loss on the response only.
 *
 * As in the reference, the prompt's share of the tokens is the length of the separately encoded prompt, EOS not counted;
 * rows are cut at a length, and EOS is appended where it still fits.
 */
import { type Example, exampleWithTargets } from './example';
import type { EncodingOptions, TextEncoder } from './options';

export interface Instruction {
  readonly instruction: string;
  /** Text that the instruction is about; empty when there is none. */
  readonly input: string;
  readonly output: string;
}

/** How an instruction becomes text: in Alpaca's template, or as it is ("no instruction" in the reference). */
export type PromptStyle = 'alpaca' | 'plain';

/** What stands before and what after the point where the model begins to answer. */
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
 * Without a template: "Name a colour: red". A colon takes the place of the instruction's full stop, and is added where it
 * ends in no mark; an input that ends in none gets a full stop. The space goes with the response, where tokenizers have it.
 */
function plainText({ instruction, input, output }: Instruction): PromptedText {
  const asked = /[:?!]$/.test(instruction) ? instruction : `${instruction.replace(/\.$/, '')}:`;
  const about = input === '' || /[.:?!]$/.test(input) ? input : `${input}.`;
  return { prompt: about === '' ? asked : `${asked} ${about}`, response: output === '' ? '' : ` ${output}` };
}

/** The example of one record, at most `length` tokens. It has no target where the prompt alone reaches that. */
export async function instructionExample(
  record: Instruction,
  style: PromptStyle,
  encoder: TextEncoder,
  { length, eosTokenId }: EncodingOptions,
): Promise<{ example: Example; truncated: boolean }> {
  const { prompt, response } = promptedText(record, style);
  const promptIds = await encoder.encode(prompt, { addSpecialTokens: true });
  const promptTokens = promptIds.at(-1) === eosTokenId ? promptIds.length - 1 : promptIds.length;
  const all = await encoder.encode(prompt + response, { addSpecialTokens: true });
  const ids = all.slice(0, length);
  if (eosTokenId !== undefined && ids.length < length && ids.at(-1) !== eosTokenId) ids.push(eosTokenId);
  const example = exampleWithTargets(ids, [{ start: promptTokens, end: ids.length }]);
  return { example, truncated: all.length > length };
}
