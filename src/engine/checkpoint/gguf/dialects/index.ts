/** The dialects that Coppice reads and writes. */
import type { GgufArchitecture } from '../shapes';
import type { Dialect } from './dialect';
import { falconH1 } from './falcon-h1';
import { gemma } from './gemma';
import { gemma2 } from './gemma2';
import { gemma3 } from './gemma3';
import { cannotWrite } from '../cannot';
import { granite } from './granite';
import { graniteHybrid, graniteHybridMoe, graniteMoe } from './granite-hybrid';
import { lfm2 } from './lfm2';
import { deci, llama } from './llama';
import { mixtral } from './mixtral';
import { olmo2 } from './olmo2';
import { olmoe } from './olmoe';
import { phi3 } from './phi3';
import { qwen35 } from './qwen35';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';
import { qwen3Moe } from './qwen3-moe';
import { smollm3 } from './smollm3';

/** Of those that fit a model the last one is written: its blocks have the most that is special. */
export const DIALECTS: readonly Dialect[] = [
  llama,
  deci,
  qwen2,
  qwen3,
  gemma,
  gemma2,
  gemma3,
  phi3,
  granite,
  olmo2,
  smollm3,
  qwen3Moe,
  mixtral,
  olmoe,
  lfm2,
  qwen35,
  falconH1,
  graniteHybrid,
  graniteHybridMoe,
  graniteMoe,
];

/** Their names, each once. */
export const DIALECT_NAMES: readonly string[] = [...new Set(DIALECTS.map(({ name }) => name))];

/** The dialect of a file's `general.architecture`. @param hasExperts whether the file has some; that is not always another dialect */
export function dialectNamed(name: unknown, hasExperts = false): Dialect | undefined {
  const named = DIALECTS.filter((dialect) => dialect.name === name);
  return named.find(({ experts }) => (experts !== undefined) === hasExperts) ?? named[0];
}

/**
 * The dialect that a model is written in.
 * @param equal whether its blocks differ in windows and rotations only
 * @throws UserError if there is none
 */
export function dialectFor(architecture: GgufArchitecture, equal: boolean): Dialect {
  const has = architecture.layers.some(({ experts }) => experts !== undefined);
  const kind = architecture.layers.find(({ other }) => other !== undefined)?.other?.kind;
  const gated = architecture.layers[0].gated ?? false;
  const beside = architecture.layers.some(({ experts }) => experts?.shared !== undefined);
  const own = DIALECTS.filter(
    ({ experts, mixer, gated: gates = false }) =>
      (experts !== undefined) === has &&
      (experts?.shared !== undefined) === beside &&
      mixer?.kind === kind &&
      gates === gated,
  );
  const found = own.findLast(({ fits }) => fits(architecture, equal));
  if (!found) throw cannotWrite('llama.cpp has no architecture with such attention and experts');
  return found;
}
