/** Kinds of models that Coppice can inspect but not compute with: what they are, and what Coppice lacks for them. */
import { isObject } from '../../format/json';
import type { Config } from './fields';

export interface OtherKind {
  /** Values of `model_type`, in lower case, with "_" for "-" and "."; "*" stands for anything. */
  readonly types: readonly string[];
  /** "it is …", and what Coppice lacks. */
  readonly is: string;
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** The first match counts: a hybrid with experts is a hybrid, a multimodal mixture is multimodal. */
export const OTHER_KINDS: readonly OtherKind[] = [
  {
    types: words(`
      *_vl *_vl_text *_vl_moe *_vl_moe_text *_omni* *_vision *_ocr* *_audio* *_speech* aria blip* chameleon
      colpali emu3 florence* fuyu git glm4v* idefics* instructblip* internvl* internvl_chat janus* kosmos*
      llama4 llava* minicpm_o minicpmo minicpmv mistral3 mllama* molmo* moondream* ovis* paligemma phi3_v
      phi4_multimodal* phi4mm pixtral shieldgemma2 smolvlm* voxtral* qwen_vl got_ocr2 deepseek_vl*
    `),
    is: 'a multimodal model: it reads images or sound besides text, and of such models Coppice computes the text part of `gemma3` and `qwen3_5` only',
  },
  {
    types: words('gemma3n*'),
    is: 'a Gemma 3n: its blocks have inputs of their own for each token and share keys and values, and Coppice computes blocks that see nothing but the residual stream',
  },
  {
    types: words('gemma4* diffusion_gemma*'),
    is: 'a Gemma 4: its blocks share keys and values and differ in the width of their heads, some have inputs of their own or experts, and Coppice knows Gemma 1 to 3',
  },
  {
    types: words(`
      *mamba* bailing_hybrid bamba falcon_h1 granitemoehybrid hymba jamba kimi_linear lfm2* lfm3* minimax
      minimax_text_01 nemotron_h* olmo_hybrid plamo2 qwen3_5* qwen3_next zamba* recurrent_gemma recurrentgemma
      rwkv* xlstm
    `),
    is: 'a hybrid or state-space model: its type has blocks that keep a recurrent state (Mamba, convolution, linear attention), and of such models Coppice computes LFM2, Granite 4, Falcon-H1 and Qwen3.5',
  },
  {
    types: words(`
      *moe* arctic bailing* dbrx deepseek deepseek_v* doge dots1 flex_olmo grok* jetmoe kimi_k*
      llama4_text longcat* minimax_m* switch_transformers
    `),
    is: 'a mixture of experts: its blocks route each token to some of many FFNs, and of such models Coppice computes Qwen3 MoE, Mixtral, OLMoE, gpt-oss and Granite 4',
  },
  {
    types: words('minicpm3 youtu'),
    is: 'a model with latent attention: its keys and values come from a product of low rank, and Coppice computes attention with a matrix for each of them',
  },
  {
    types: words(`
      *bert* t5 t5gemma* mt5 umt5 bart mbart pegasus* whisper marian blenderbot* electra deberta* xlm* led
      longformer *encoder* embedding_gemma* embeddinggemma*
    `),
    is: 'a model with an encoder, and Coppice computes models that read from left to right and predict the next token',
  },
  {
    types: words(`
      biogpt bloom codegen cohere* ctrl falcon gpt2 gpt_bigcode gpt_neo gpt_neox gptj mpt nemotron olmo
      openai_gpt opt persimmon phi stablelm starcoder2 xglm arcee
    `),
    is: 'a decoder whose blocks Coppice does not have: LayerNorm, learned positions, an FFN without a gate or one beside attention',
  },
];

/** Types that a pattern above has too, and that are families of their own. */
const COMPUTED: ReadonlySet<string> = new Set(words('qwen3_moe olmoe lfm2 granitemoehybrid falcon_h1 qwen3_5_text'));

const PATTERNS = OTHER_KINDS.map(({ types, is }) => {
  return { is, pattern: new RegExp(`^(?:${types.map((type) => type.replaceAll('*', '.*')).join('|')})$`) };
});

/** What a model of this type is, and what is missing; undefined for a type that has no entry. */
export function otherKind(type: string): string | undefined {
  const plain = type.toLowerCase().replaceAll(/[-.]/g, '_');
  if (COMPUTED.has(plain)) return undefined;
  return PATTERNS.find(({ pattern }) => pattern.test(plain))?.is;
}

const OTHER_PART = /^(vision|audio|image|speech|visual)_?(config|encoder|tower|model)/;

/** Whether a config describes a part for images or sound beside its language model. */
export const hasOtherPart = (config: Config): boolean =>
  Object.entries(config).some(([field, value]) => OTHER_PART.test(field) && isObject(value));
