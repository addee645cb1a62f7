/** `genai_config.json`, by which onnxruntime-genai runs the same folder. */
import type { JsonObject } from '../../../../format/json';
import type { Checkpoint } from '../../../checkpoint/types';
import { attentionOf } from '../../../checkpoint/kinds/parts';
import { cacheWidth } from '../graph';
import { positionsOf } from '../positions';
import { specialIds } from './config';
import { genaiType } from './types';
import type { OnnxModelFacts } from '../write-onnx';

/** Settings of a search that the checkpoint may have, and those that choose the likeliest token. */
const SAMPLING = { do_sample: false, temperature: 1, top_k: 50, top_p: 1, repetition_penalty: 1 };

/** @param generation settings of the checkpoint (`generation_config.json`) */
export function genaiConfig(
  checkpoint: Checkpoint,
  { architecture, target, models }: OnnxModelFacts,
  generation: JsonObject,
): string {
  const [{ file, usesPositionIds }] = models;
  const { layers, hidden, vocabulary } = architecture;
  const first = attentionOf(layers[0]);
  const length = positionsOf(architecture);
  const sampling = Object.entries(SAMPLING).map(([key, usual]) => {
    const own = generation[key];
    return [key, typeof own === typeof usual ? own : usual];
  });
  const config = {
    model: {
      type: genaiType(architecture),
      ...withPadding(specialIds(checkpoint)),
      context_length: length,
      vocab_size: vocabulary,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: file,
        head_size: cacheWidth(first, target),
        hidden_size: hidden,
        num_attention_heads: first.heads,
        num_hidden_layers: layers.length,
        num_key_value_heads: first.kvHeads,
        inputs: {
          input_ids: 'input_ids',
          attention_mask: 'attention_mask',
          ...(usesPositionIds && { position_ids: 'position_ids' }),
          past_key_names: 'past_key_values.%d.key',
          past_value_names: 'past_key_values.%d.value',
        },
        outputs: {
          logits: 'logits',
          present_key_names: 'present.%d.key',
          present_value_names: 'present.%d.value',
        },
      },
    },
    search: {
      ...(Object.fromEntries(sampling) as JsonObject),
      max_length: length,
      min_length: 0,
      num_beams: 1,
      num_return_sequences: 1,
      // A shared buffer has the size of max_length from the start, and only the fused attention writes into it.
      past_present_share_buffer: false,
    },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Batches need a token to fill up shorter texts with; the attention mask hides it. */
function withPadding(ids: ReturnType<typeof specialIds>): JsonObject {
  return { pad_token_id: [ids.eos_token_id ?? 0].flat()[0], ...ids };
}
