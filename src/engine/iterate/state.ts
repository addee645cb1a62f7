/**
 * The finished rounds of a run in one file. It is replaced atomically after every part of the work, and a checksum tells
 * damage: other numbers would silently lead to other blocks.
 */
import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isObject, parseNumbers, stringifyJson } from '../../format/json';
import { UserError } from '../errors';
import { readSmallFile } from '../files/regular-file';
import type { Likeness } from '../heal/result';
import { option } from '../option-token';
import { differences, type RunFacts } from '../retrain/run-facts';
import { cannotWrite } from '../system-failure';
import type { IterativeRound, OneShotPoint, ScoredBlock } from './result';

const VERSION = 1;
/** Traces of hundreds of rounds are smaller than this. */
const MAX_BYTES = 256 * 2 ** 20;

/** A round that has chosen its block and is not healed yet. */
export interface OpenRound {
  readonly block: number;
  readonly score: number;
  readonly scores: readonly ScoredBlock[];
  readonly pruned: Likeness;
  /** Seconds that this took. */
  readonly seconds: number;
}

export interface IterateState {
  readonly rounds: readonly IterativeRound[];
  readonly open?: OpenRound;
  readonly oneShot: readonly OneShotPoint[];
}

export const NOTHING_YET: IterateState = { rounds: [], oneShot: [] };

/** @param facts identify the run @throws UserError when it cannot be written; the previous state is kept then */
export async function saveIterateState(path: string, facts: RunFacts, state: IterateState): Promise<void> {
  const body = stringifyJson({ version: VERSION, facts, ...state });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, stringifyJson({ sha256: hashOf(body), body }));
    await rename(temporary, path);
  } catch (error) {
    throw cannotWrite(`the state of the run, ${path},`, error);
  }
}

/** @throws UserError when it is damaged, or of another run */
export async function loadIterateState(path: string, facts: RunFacts): Promise<IterateState> {
  const over = `remove ${dirname(path)} or name another ${option('out')}, and start again without ${option('resume')}.`;
  const damaged = (cause?: unknown): UserError => {
    const why = 'it is damaged: its content does not match its checksum';
    return new UserError(`Cannot resume from ${path}`, why, `To start without it, ${over}`, { cause });
  };
  const { facts: saved, ...state } = await readBody(path).catch((error: unknown) => {
    throw error instanceof SyntaxError || error instanceof TypeError ? damaged(error) : error;
  });
  const others = differences(saved, facts);
  if (others.length === 0) return state;
  throw new UserError(
    `Cannot resume from ${path}`,
    `it was saved by a run with other settings, texts or model: ${others.join(', ')}`,
    `Give the settings of that run; or ${over}`,
  );
}

/** The checksum covers everything, so what it matches is what this program wrote. */
async function readBody(path: string): Promise<IterateState & { readonly facts: RunFacts }> {
  const outer: unknown = JSON.parse((await readSmallFile(path, MAX_BYTES)).toString('utf8'));
  if (!isObject(outer) || typeof outer.body !== 'string' || hashOf(outer.body) !== outer.sha256) {
    throw new SyntaxError('checksum');
  }
  const body = parseNumbers(outer.body) as Record<string, unknown>;
  if (body.version !== VERSION) throw new SyntaxError(`version ${String(body.version)}`);
  const { version: _, ...state } = body;
  return state as unknown as IterateState & { readonly facts: RunFacts };
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
