/** Names the scheme of a quantized checkpoint: Coppice can inspect it, but cannot compute with packed weights. */
import { isObject } from '../../format/json';
import { printable } from '../formats/bounded-json';
import type { Config } from './fields';
import type { Unsupported } from './types';
import type { TensorInfo } from '../formats/tensor';

const NAMES: Readonly<Record<string, string>> = {
  gptq: 'GPTQ',
  awq: 'AWQ',
  bitsandbytes: 'bitsandbytes',
  fp8: 'FP8',
  fbgemm_fp8: 'FP8 (FBGEMM)',
};

/** The scheme that the config declares, or undefined for plain weights. */
export function quantizationScheme(config: Config): string | undefined {
  const mlx = config.quantization;
  if (isObject(mlx)) return `MLX${typeof mlx.bits === 'number' ? ` ${mlx.bits}-bit` : ''}`;
  const declared = config.quantization_config;
  if (!isObject(declared) || Object.keys(declared).length === 0) return undefined;
  const method = declared.quant_method;
  if (typeof method === 'string') return NAMES[method.toLowerCase()] ?? printable(method, 40);
  if (declared.load_in_4bit === true || declared.load_in_8bit === true) return NAMES.bitsandbytes;
  return 'an unnamed scheme';
}

/** The scheme that the tensors show if the config declares none. */
export function packedScheme(tensors: ReadonlyMap<string, TensorInfo>): string | undefined {
  for (const { name, dtype } of tensors.values()) {
    if (name.endsWith('.qweight')) return 'GPTQ or AWQ (packed `qweight` tensors)';
    if (name.endsWith('.absmax')) return 'bitsandbytes';
    if (dtype.startsWith('F8_') && name.endsWith('.weight')) return 'FP8';
    if (dtype === 'U32' && name.endsWith('.weight')) return 'MLX';
  }
  return undefined;
}

export function unsupportedScheme(scheme: string): Unsupported {
  return {
    why: `its weights are quantized with ${scheme}`,
    action: 'It can be inspected; to score or prune, open the original checkpoint in F32, F16 or BF16.',
  };
}
