/** The families that Coppice computes with. */
import type { Architecture } from '../architecture';
import type { ModelFamily } from './family';
import { falconH1 } from './falcon-h1';
import { gemma } from './gemma';
import { gemma2 } from './gemma2';
import { gemma3 } from './gemma3';
import { gptOss } from './gpt-oss';
import { granite } from './granite';
import { graniteHybrid } from './granite-hybrid';
import { lfm2 } from './lfm2';
import { llama } from './llama';
import { mistral } from './mistral';
import { mixtral } from './mixtral';
import { olmo2 } from './olmo2';
import { olmoe } from './olmoe';
import { phi3 } from './phi3';
import { qwen2 } from './qwen2';
import { qwen3 } from './qwen3';
import { qwen35 } from './qwen3-5';
import { qwen3Moe } from './qwen3-moe';
import { seedOss } from './seed-oss';
import { smollm3 } from './smollm3';

export const FAMILIES: readonly ModelFamily[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  seedOss,
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
  gptOss,
  lfm2,
  graniteHybrid,
  falconH1,
  qwen35,
];

const BY_TYPE = new Map(FAMILIES.map((family) => [family.modelType, family]));

/** The family with this `model_type`. */
export function familyOfType(modelType: string | undefined): ModelFamily | undefined {
  return modelType === undefined ? undefined : BY_TYPE.get(modelType);
}

/** @throws Error for an architecture that does not come from a config */
export function familyOf({ family }: Pick<Architecture, 'family'>): ModelFamily {
  const found = BY_TYPE.get(family);
  if (!found) throw new Error(`no family ${family}`);
  return found;
}
