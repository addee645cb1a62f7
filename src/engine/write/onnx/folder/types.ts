/** What programs around onnxruntime call a family. The graph is whole in itself: its type only chooses what they do around it. */
import type { Architecture } from '../../../checkpoint/architecture';

type Family = Pick<Architecture, 'family'>;

/** Classes of transformers.js by `model_type`. It refuses a type that it does not know. */
const CLASSES: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  gemma: 'GemmaForCausalLM',
  gemma2: 'Gemma2ForCausalLM',
  gemma3_text: 'Gemma3ForCausalLM',
  phi3: 'Phi3ForCausalLM',
  granite: 'GraniteForCausalLM',
  olmo2: 'Olmo2ForCausalLM',
  smollm3: 'SmolLM3ForCausalLM',
};

/** Any class with a cache runs a graph with a cache. */
const ANY = 'llama';

/** The fields of `config.json` by which transformers.js finds a class. */
export function transformersJsType({ family }: Family): {
  readonly model_type: string;
  readonly architectures: string[];
} {
  const type = family in CLASSES ? family : ANY;
  return { model_type: type, architectures: [CLASSES[type]] };
}

/** Families that onnxruntime-genai knows under another name. */
const IN_GENAI: Readonly<Record<string, string>> = { olmo2: 'olmo' };

/** The `type` in `genai_config.json`. */
export const genaiType = ({ family }: Family): string => (family in CLASSES ? (IN_GENAI[family] ?? family) : ANY);
