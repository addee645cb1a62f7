/** `coppice bench`: what a checkpoint or a view of it costs its user in time, memory and size. */
import { openForComputing } from '../../engine/model/opened';
import type { Command } from 'commander';
import { counted } from '../../format/words';
import { measure } from '../../engine/evaluate/measure';
import { detailsOf } from '../../engine/records/details';
import { removedJson, formatRemoved } from '../../engine/model/view';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { secondsSince } from '../opened';
import {
  type AdapterOptions,
  addAdapterOptions,
  addComputeOptions,
  type ComputeOptions,
  parseCount,
  parseSeed,
  removeOption,
} from '../options';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber } from '../../format/numbers';
import { facts } from '../terminal/text';

interface BenchOptions extends ComputeOptions, AdapterOptions {
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly repeats: number;
  readonly seed: number;
  readonly remove?: readonly (number | string)[];
}

export function addBench(program: Command, exit: Exit): void {
  const command = program
    .command('bench')
    .summary('speed, memory and size')
    .description(
      'Measures how fast a checkpoint reads a prompt (prefill) and writes (decode), how long the first token takes, ' +
        'and how much memory and disk it needs. Medians of several runs.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file or index')
    .option('--prompt-tokens <n>', 'length of the prompt', parseCount, 128)
    .option('--new-tokens <n>', 'tokens to write', parseCount, 64)
    .option('--repeats <n>', 'measured runs', parseCount, 3)
    .option('--seed <n>', 'seed of the prompt', parseSeed, 1234)
    .addOption(removeOption());
  addAdapterOptions(command);
  addComputeOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  coppice bench ./SmolLM2-135M
  coppice bench ./SmolLM2-135M --remove 10,12-14 --threads 2
  coppice bench ./SmolLM2-135M --prompt-tokens 512 --new-tokens 128 --json`,
    )
    .action(async (path: string, options: BenchOptions) => {
      exit(await execute({ kind: 'bench', options, source: path }, (shell) => bench(path, options, shell)));
    });
}

async function bench(path: string, options: BenchOptions, shell: Shell): Promise<Outcome> {
  const start = performance.now();
  const { checkpoint, removed, view, adapter, inputs } = await openForComputing(path, options);
  const openSeconds = secondsSince(start);
  const { promptTokens, newTokens, repeats, seed, device: choice, threads, memory } = options;
  const measured = await measure(
    checkpoint,
    { view, promptTokens, newTokens, repeats, seed, device: choice, threads, memory, adapter },
    shell.job,
  );
  const { device, ...numbers } = measured;
  const loadSeconds = openSeconds + measured.loadSeconds;
  const settings = { promptTokens, newTokens, repeats, removed: removedJson(removed) };
  return {
    json: {
      ...numbers,
      loadSeconds,
      ...settings,
      device: device.provider,
      seconds: secondsSince(start),
    },
    page: facts([
      ['size', `${formatCount(numbers.parameters)} parameters, ${formatBytes(numbers.bytes)}`],
      ['removed', formatRemoved(removed) || 'nothing'],
      ['load', formatSeconds(loadSeconds)],
      ['prefill', `${formatNumber(numbers.prefillTokensPerSecond, 4)} tokens/s (${counted(promptTokens, 'token')})`],
      ['first token', `${formatNumber(numbers.timeToFirstTokenSeconds, 3)} s after the prompt`],
      ['decode', `${formatNumber(numbers.decodeTokensPerSecond, 4)} tokens/s (${counted(newTokens, 'token')})`],
      ['memory', `${formatBytes(numbers.peakRssBytes)} at its peak`],
      ['device', device.provider],
    ]),
    run: detailsOf(checkpoint, options, { inputs, settings, seed, device }),
  };
}
