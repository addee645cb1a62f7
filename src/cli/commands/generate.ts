/** `coppice generate`: continues a prompt, printing the text as it comes. */
import { type Command, Option } from 'commander';
import { counted } from '../../engine/counted';
import { generate } from '../../engine/evaluate/generate';
import { detailsOf } from '../../engine/records/details';
import { encodePrompt } from '../../engine/tokenizer/prompt';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { Model } from '../../engine/model/model';
import { openForComputing, withModel } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { UsageError } from '../failure';
import {
  type AdapterOptions,
  addAdapterOptions,
  addComputeOptions,
  type ComputeOptions,
  parseCount,
  parseFraction,
  parseIds,
  parsePositive,
  parseSeed,
  removeOption,
} from '../options';
import { formatNumber } from '../terminal/text';

const DEFAULT_SEED = 1234;

interface GenerateOptions extends ComputeOptions, AdapterOptions {
  readonly prompt?: string;
  readonly ids?: number[];
  readonly chat?: true;
  readonly maxNewTokens: number;
  readonly greedy?: true;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly ignoreEos?: true;
  readonly remove?: readonly (number | string)[];
}

export function addGenerate(program: Command, exit: Exit): void {
  const sampling = ['temperature', 'topK', 'topP', 'seed'];
  const command = program
    .command('generate')
    .summary('continue a prompt')
    .description('Continues a prompt: greedily, or sampled as soon as one of the sampling options is given.')
    .argument('<checkpoint>', 'folder, .safetensors file or index')
    .addOption(new Option('--prompt <text>', 'the text to continue').conflicts('ids'))
    .addOption(new Option('--ids <list>', 'the same as token ids: 1,403,12').argParser(parseIds))
    .addOption(new Option('--chat', "send the prompt as a user's message through the chat template").conflicts('ids'))
    .option('--max-new-tokens <n>', 'stop after so many tokens', parseCount, 64)
    .addOption(new Option('--greedy', 'always the likeliest token (the default)').conflicts(sampling))
    .option('--temperature <t>', 'sample: below 1 is bolder in the likely, above 1 wilder', parsePositive)
    .option('--top-k <n>', 'sample among the n likeliest tokens', parseCount)
    .option('--top-p <p>', 'sample among the likeliest tokens that hold p of the probability', parseFraction(false))
    .option('--seed <n>', `seed of the sampling (default: ${DEFAULT_SEED})`, parseSeed)
    .option('--ignore-eos', 'go on after the end of the text')
    .addOption(removeOption());
  addAdapterOptions(command);
  addComputeOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  coppice generate ./SmolLM2-135M --prompt "Once upon a time" --max-new-tokens 100
  coppice generate ./SmolLM2-135M --prompt "Why is the sky blue?" --chat
  coppice generate ./SmolLM2-135M --prompt "The sea" --temperature 0.8 --top-p 0.95 --seed 7
  coppice generate ./SmolLM2-135M --prompt "The sea" --adapter ./adapter
  coppice generate ./SmolLM2-135M --ids 504,3685 --remove 10,12-14 --json`,
    )
    .action(async (path: string, options: GenerateOptions) => {
      exit(await execute({ kind: 'generate', options, source: path }, (shell) => continuePrompt(path, options, shell)));
    });
}

async function continuePrompt(path: string, options: GenerateOptions, shell: Shell): Promise<Outcome> {
  const { prompt } = options;
  if (prompt === undefined && options.ids === undefined) {
    throw new UsageError(
      'nothing to continue',
      'neither --prompt nor --ids is given',
      'Add --prompt "Once upon a time".',
    );
  }
  const { checkpoint, removed, view, adapter, inputs } = await openForComputing(path, options);
  const tokenizer = await (prompt === undefined ? optionalTokenizer : loadTokenizer)(checkpoint.folder, shell.job);
  const promptIds = options.ids ?? (await encodePrompt(tokenizer!, prompt!, { chat: options.chat }));

  const sampled = [options.temperature, options.topK, options.topP, options.seed].some((value) => value !== undefined);
  const { temperature = 1, topK, topP, seed = DEFAULT_SEED, maxNewTokens } = options;
  const choice = sampled ? { temperature, topK, topP, seed } : { greedy: true as const };
  const ignoreEos = options.ignoreEos === true;

  if (prompt !== undefined) shell.stream(`${shell.style.dim(shell.shown(prompt))}${options.chat ? '\n' : ''}`);
  const decoder = tokenizer?.streamDecoder();
  const onToken = async (id: number): Promise<void> =>
    shell.stream(decoder ? shell.shown(await decoder.push(id)) : `${id} `);
  const job = options.json ? shell.job : { signal: shell.job.signal }; // else the text itself shows the progress
  const write = async (model: Model) => ({
    result: await generate(model, promptIds, { maxNewTokens, ...choice, ignoreEos, view, onToken }, job),
    device: model.device,
  });
  const { result, device } = await withModel(checkpoint, { ...options, adapter }, write);
  shell.stream(`${decoder ? shell.shown(await decoder.end()) : ''}\n`);

  const { ids, prefillTokensPerSecond, decodeTokensPerSecond } = result;
  const text = (await tokenizer?.decode(ids, { skipSpecialTokens: true })) ?? null;
  shell.note(
    `${counted(promptIds.length, 'prompt token')} at ${formatNumber(prefillTokensPerSecond, 3)}/s, ` +
      `${counted(ids.length, 'new token')} at ${formatNumber(decodeTokensPerSecond, 3)}/s on ${device.provider}`,
  );
  return {
    json: { promptIds, ids, text, prefillTokensPerSecond, decodeTokensPerSecond, removed: removedJson(removed) },
    page: [],
    run: detailsOf(checkpoint, options, {
      inputs,
      settings: { promptIds, maxNewTokens, ...choice, ignoreEos, removed: removedJson(removed) },
      seed: sampled ? seed : undefined,
      device,
    }),
  };
}
