/** What programs around onnxruntime call a family. The graph is whole in itself: its type only chooses what they do around it. */
import type { Architecture } from '../../../checkpoint/architecture';
import { familyOf } from '../../../checkpoint/families';
import type { ModelFamily } from '../../../checkpoint/families/family';
import { granite } from '../../../checkpoint/families/granite';
import { llama } from '../../../checkpoint/families/llama';

type Family = Pick<Architecture, 'family'>;

/** Any class with a cache runs a graph with a cache. */
const ANY = llama;

/**
 * Families that are named otherwise: transformers.js has no class for them, and refuses a type that it does not know; or it looks in
 * the config for other blocks than attention.
 */
const OTHERWISE: Readonly<Record<string, ModelFamily>> = {
  seed_oss: ANY,
  mixtral: ANY,
  olmoe: ANY,
  granitemoehybrid: granite,
};

const knownAs = (family: Family): ModelFamily =>
  (OTHERWISE as Partial<typeof OTHERWISE>)[family.family] ?? familyOf(family);

/** The fields of `config.json` by which transformers.js finds a class. */
export function transformersJsType(family: Family): {
  readonly model_type: string;
  readonly architectures: string[];
} {
  const { modelType, className } = knownAs(family);
  return { model_type: modelType, architectures: [className] };
}

/** Families that onnxruntime-genai knows under another name. */
const IN_GENAI: Readonly<Record<string, string>> = { olmo2: 'olmo', qwen3_moe: 'qwen3', gpt_oss: 'gptoss' };

/** The `type` in `genai_config.json`. */
export function genaiType(family: Family): string {
  const { modelType } = knownAs(family);
  return IN_GENAI[modelType] ?? modelType;
}
