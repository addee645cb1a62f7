/** A prompt that clients offer as a command: the usual way to a smaller model, as a request to the agent. */
import {
  ErrorCode,
  type GetPromptRequest,
  type GetPromptResult,
  type ListPromptsResult,
  McpError,
} from '@modelcontextprotocol/sdk/types.js';

const SMALLER = 'make-smaller';
/** A quarter is what the demo removes too. */
const SHARE = '25 %';

export const PROMPTS: ListPromptsResult = {
  prompts: [
    {
      name: SMALLER,
      title: 'Make a Model Smaller',
      description: 'Removes the least important blocks of a model, heals the rest, and says what that costs.',
      arguments: [
        { name: 'model', description: 'folder of the checkpoint, or its .gguf file', required: true },
        { name: 'share', description: `how much smaller it should be (default: ${SHARE})` },
        { name: 'text', description: 'a text like those that the application sends' },
      ],
    },
  ],
};

/** @throws McpError for a prompt that does not exist, and without a model */
export function promptOf({ name, arguments: given = {} }: GetPromptRequest['params']): GetPromptResult {
  if (name !== SMALLER) throw new McpError(ErrorCode.InvalidParams, `there is no prompt ${name}`);
  const { model, share = SHARE, text } = given;
  if (!model) throw new McpError(ErrorCode.InvalidParams, 'the prompt needs a model');
  const request = [
    `Make the language model ${model} ${share} smaller with Coppice's tools, and tell me what it costs.`,
    'Inspect it first. Score its blocks, plan the removal, and tell me the plan before anything is written.',
    text
      ? `Score and heal with the text ${text}.`
      : 'Ask me for a text like those that the application sends, if the folder has none.',
    'Then prune into a new folder and heal it. Evaluate the original and the result on a text that chose no blocks, and ' +
      'compare what they write. Give size, speed and quality side by side, and say if the loss is too large to ship.',
  ].join('\n');
  return { messages: [{ role: 'user', content: { type: 'text', text: request } }] };
}
