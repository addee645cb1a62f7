/** What programs around onnxruntime call a family. The graph is whole in itself: its type only chooses what they do around it. */
import type { Architecture } from '../../../checkpoint/architecture';
import { familyOf } from '../../../checkpoint/families';
import type { ModelFamily } from '../../../checkpoint/families/family';
import { llama } from '../../../checkpoint/families/llama';

type Family = Pick<Architecture, 'family'>;

/** transformers.js has no class for these, and refuses a type that it does not know. */
const UNKNOWN: ReadonlySet<string> = new Set(['seed_oss']);

/** Any class with a cache runs a graph with a cache. */
const ANY = llama;

const knownAs = (family: Family): ModelFamily => (UNKNOWN.has(family.family) ? ANY : familyOf(family));

/** The fields of `config.json` by which transformers.js finds a class. */
export function transformersJsType(family: Family): {
  readonly model_type: string;
  readonly architectures: string[];
} {
  const { modelType, className } = knownAs(family);
  return { model_type: modelType, architectures: [className] };
}

/** Families that onnxruntime-genai knows under another name. */
const IN_GENAI: Readonly<Record<string, string>> = { olmo2: 'olmo' };

/** The `type` in `genai_config.json`. */
export function genaiType(family: Family): string {
  const { modelType } = knownAs(family);
  return IN_GENAI[modelType] ?? modelType;
}
