/**
 * The identity of a run: everything that its numbers depend on. Only the same run continues from a state. The intervals
 * of evaluating and saving, and the patience, may change in between.
 */
import type { BosChoice } from '../../format/bos';
import { beginningOf, type BosSource, isTokenizersOwn } from '../tokenizer/bos';
import type { DataDescription } from './data/load';

/** Facts by name; undefined ones do not count. */
export type RunFacts = Readonly<Record<string, unknown>>;

/** Version of the facts. */
const VERSION = 2;
/** Values of these facts are hashes, which mean nothing to a reader. */
const HASHES = new Set(['version', 'model', 'teacher', 'healed', 'start', 'data files']);
/** Facts that count with this value where they are absent. */
const USUAL: RunFacts = { precision: 'float32' };
/** Maximum number of named differences. */
const MOST = 3;

/** The facts of a run of `model` (an identity) with `settings`. */
export function runFacts(model: string, settings: RunFacts, data: DataDescription): RunFacts {
  const facts = { ...settings, evalEvery: undefined, saveEvery: undefined, patience: undefined };
  const { files, length, train, heldOut } = data;
  const content = { 'data files': files.map(({ sha256 }) => sha256), length, examples: train, 'held out': heldOut };
  return { version: VERSION, model, ...facts, ...content };
}

/**
 * How the texts of a run begin, if it is not how the tokenizer alone has it: runs of before there was a choice say nothing.
 */
export function bosFact(choice: BosChoice | undefined, source: BosSource): RunFacts {
  const beginning = beginningOf(choice, source);
  return isTokenizersOwn(beginning, source.tokenizer) ? {} : { bos: beginning.mode };
}

/** The differences between two runs: "learning rate (0.01 there, 0.02 here)". Empty when the runs are the same. */
export function differences(there: RunFacts, here: RunFacts): string[] {
  const names = [...new Set([...Object.keys(there), ...Object.keys(here)])];
  const of = (facts: RunFacts, name: string): string => valueOf(facts[name] ?? USUAL[name]);
  const found = names.filter((name) => of(there, name) !== of(here, name));
  return found.slice(0, MOST).map((name) => {
    const word = name.replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
    return HASHES.has(name) ? word : `${word} (${of(there, name)} there, ${of(here, name)} here)`;
  });
}

const valueOf = (value: unknown): string =>
  value === undefined || value === null ? 'none' : typeof value === 'string' ? value : JSON.stringify(value);
