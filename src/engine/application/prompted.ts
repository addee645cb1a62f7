/** How an instruction is written: in Alpaca's prompt (Taori et al. 2023), or plain. */

export interface Instruction {
  readonly instruction: string;
  /** The text that the instruction refers to; empty when there is none. */
  readonly input: string;
  readonly output: string;
}

/** In Alpaca's template, or without one (`--no_instruction` in the official code). */
export type PromptStyle = 'alpaca' | 'plain';

/** The text before and after the point where the model begins to answer. */
export interface PromptedText {
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
