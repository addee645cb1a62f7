/** Every option that more than one command has, and how the text behind an option becomes a value. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DRAWING } from '../engine/importance/calibration';
import type { DeviceChoice } from '../engine/onnx/device';

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
  new Option('--remove <list>', 'leave blocks out, nothing is written: 10,12-14 or 10.attention,12.ffn');

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
    .option('--seed <n>', 'seed of the sampling', parseSeed, 1234);
}

/** A whole number of at least 1. */
export function parseCount(text: string): number {
  const value = parseDigits(text);
  if (value === undefined || value < 1) throw new InvalidArgumentError('It must be a whole number of at least 1.');
  return value;
}

/** Tokens of an evaluation window, of which the first is not scored. */
export function parseWindow(text: string): number {
  const value = parseCount(text);
  if (value < 2) throw new InvalidArgumentError('It must be at least 2: the first token of a window is not scored.');
  return value;
}

/** A whole number from 0 to 2³² − 1. */
export function parseSeed(text: string): number {
  const value = parseDigits(text);
  if (value === undefined || value > 0xffffffff) {
    throw new InvalidArgumentError('It must be a whole number from 0 to 4294967295.');
  }
  return value;
}

/** A number above 0. */
export function parsePositive(text: string): number {
  const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** A fraction: above 0, at most 1 (below 1 when `open`). */
export function parseFraction(open: boolean): (text: string) => number {
  return (text) => {
    const value = /^\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
    if (!(value > 0 && (open ? value < 1 : value <= 1))) {
      throw new InvalidArgumentError(`It must be above 0 and ${open ? 'below' : 'at most'} 1.`);
    }
    return value;
  };
}

/** "1,2,3" → [1, 2, 3]. */
export function parseIds(text: string): number[] {
  return text.split(',').map((part) => {
    const value = parseDigits(part.trim());
    if (value === undefined)
      throw new InvalidArgumentError('It must be token ids separated by commas, such as 1,403,12.');
    return value;
  });
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };
const BINARY_UNITS: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };
const MIN_MEMORY = 1e6;

/** "2GB" (10⁹), "800MiB" (2²⁰), "1.5g", or bytes → bytes, at least 1 MB. */
export function parseMemory(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?$/i.exec(text.trim());
  const unit = match?.[2].toLowerCase() ?? '';
  const factor = match?.[3] ? BINARY_UNITS[unit] : UNITS[unit];
  const bytes = Math.floor(Number(match?.[1]) * factor);
  if (!match || !Number.isSafeInteger(bytes)) {
    throw new InvalidArgumentError('It must be a size such as 2GB, 800MiB or 500000000.');
  }
  if (bytes < MIN_MEMORY) throw new InvalidArgumentError('It must be at least 1MB.');
  return bytes;
}

function parseDigits(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}
