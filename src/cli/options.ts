/** Every option that more than one command has, and how the text behind an option becomes a value. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DRAWING, DEFAULT_SEED } from '../engine/importance/drawing';
import { UserError } from '../engine/errors';
import type { DeviceChoice } from '../engine/onnx/device';
import { UsageError } from './failure';
import { InvalidValue, parseBytes, parseNumber, parseValue, parseWhole } from '../jobs/values';

/** Options of every command. */
export interface CommonOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly verbose?: true;
  /** False after `--no-color`. */
  readonly color: boolean;
  readonly record?: string;
}

/** Options of every command that computes. */
export interface ComputeOptions extends CommonOptions {
  readonly device: DeviceChoice;
  readonly threads?: number;
  /** Bytes. */
  readonly memory?: number;
}

const DEVICES: readonly DeviceChoice[] = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'];

export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print exactly one JSON object on stdout')
    .option('--record <file>', 'write the record of this run (inputs, settings, versions, results) to a file')
    .option('-q, --quiet', 'no progress, no notes')
    .option('--verbose', 'on failure, print the stack too')
    .option('--no-color', 'no colours (also: the environment variable NO_COLOR)');
}

export function addComputeOptions(command: Command): Command {
  command
    .addOption(new Option('--device <name>', 'where to compute').choices(DEVICES).default('auto'))
    .option('--threads <n>', 'CPU threads', parseCount)
    .option('--memory <size>', 'budget for hidden states and batches, such as 2GB or 800MiB', parseMemory);
  return addCommonOptions(command);
}

/** Takes the compute options too where nothing is computed, so that a script can pass the same to every command. */
export function acceptComputeOptions(command: Command): Command {
  return command
    .addOption(new Option('--device <name>').choices(DEVICES).hideHelp())
    .addOption(new Option('--threads <n>').argParser(parseCount).hideHelp())
    .addOption(new Option('--memory <size>').argParser(parseMemory).hideHelp());
}

/** Other flags for `--no-keep-ends`: its opposite, and the earlier names of both. */
export const addKeepEndsAliases = (command: Command): Command =>
  command
    .addOption(new Option('--keep-ends').hideHelp())
    .addOption(new Option('--no-plus').hideHelp().implies({ keepEnds: false }))
    .addOption(new Option('--plus').hideHelp().implies({ keepEnds: true }));

export const removeOption = (): Option =>
  new Option('--remove <list>', 'leave blocks out, nothing is written: 10,12-14 or 10.attention,12.ffn').argParser(
    asArgument((text) => parseValue({ kind: 'parts' }, text)),
  );

export interface AdapterOptions {
  readonly adapter?: string;
  readonly otherBase?: true;
}

export function addAdapterOptions(command: Command): Command {
  return command
    .option(
      '--adapter <dir>',
      'put a LoRA adapter on top, nothing is written; leaves out the blocks that it leaves out',
    )
    .addOption(otherBaseOption());
}

export const otherBaseOption = (): Option =>
  new Option('--other-base', 'use the adapter though it was trained on other files: the same model in another form');

export interface CalibrationOptions {
  readonly calibration?: string;
  readonly samples?: number;
  readonly length?: number;
  readonly seed: number;
}

export function addCalibrationOptions(command: Command): Command {
  const { samples, length } = DEFAULT_DRAWING;
  return command
    .option('--calibration <file>', 'text, JSONL with "text", or JSON {"rows": [[ids]]} (needs no tokenizer)')
    .option('--samples <n>', `calibration rows (default: ${samples}; of a file of rows: all)`, parseCount)
    .option('--length <n>', `tokens per row (default: ${length}; of a file of rows: all)`, parseCount)
    .option('--seed <n>', 'seed of the sampling', parseSeed, DEFAULT_SEED);
}

/** Reads a value for commander. */
export function asArgument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      const { cause } = error;
      if (!(cause instanceof UserError)) throw new InvalidArgumentError(error.message);
      const { what, why, action } = cause.texts;
      throw new UsageError(what, why, action, { cause });
    }
  };
}

/** A whole number of at least 1. */
export const parseCount = asArgument((text) => parseWhole(text));

/** Tokens of an evaluation window. */
export const parseWindow = asArgument((text) => parseWhole(text, 2, undefined, WINDOW_REASON));
const WINDOW_REASON = 'the first token of a window is not scored';

/** A whole number from 0 to 2³² − 1. */
export const parseSeed = asArgument((text) => parseWhole(text, 0, 0xffffffff));

/** A number above 0. */
export const parsePositive = asArgument((text) => parseNumber(text, { above: 0 }));

/** A fraction: above 0, at most 1 (below 1 when `open`). */
export const parseFraction = (open: boolean): ((text: string) => number) =>
  asArgument((text) => parseNumber(text, { above: 0, ...(open ? { below: 1 } : { max: 1 }) }));

/** "1,2,3" → [1, 2, 3]. */
export function parseIds(text: string): number[] {
  return text.split(',').map((part) => {
    const value = /^\d{1,16}$/.test(part.trim()) ? Number(part) : NaN;
    if (!Number.isSafeInteger(value))
      throw new InvalidArgumentError('It must be token ids separated by commas, such as 1,403,12.');
    return value;
  });
}

/** "2GB" (10⁹), "800MiB" (2²⁰), "1.5g", or bytes → bytes, at least 1 MB. */
export const parseMemory = asArgument(parseBytes);
