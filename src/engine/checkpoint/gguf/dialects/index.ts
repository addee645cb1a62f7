/** The dialects that Coppice reads and writes. */
import type { PlainArchitecture } from '../../kinds/plain';
import type { Dialect } from './dialect';
import { gemma } from './gemma';
import { gemma2 } from './gemma2';
import { gemma3 } from './gemma3';
import { granite } from './granite';
import { deci, llama } from './llama';
import { olmo2 } from './olmo2';
import { phi3 } from './phi3';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';
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
];

/** The dialect of a file's `general.architecture`. */
export const dialectNamed = (name: unknown): Dialect | undefined => DIALECTS.find((dialect) => dialect.name === name);

/** The dialect that a model is written in. @param equal whether its blocks differ in windows and rotations only */
export const dialectFor = (architecture: PlainArchitecture, equal: boolean): Dialect =>
  DIALECTS.findLast(({ fits }) => fits(architecture, equal))!;
