/** What test/golden/k-quants.json has ggml's bytes of: numbers of many kinds, and toys whose rows are whole blocks of K-quants, or are not. */
import { normal, uniform } from './random';
import { tinyCheckpoint } from './tiny-models';

const BLOCK = 256;

/** Blocks of many magnitudes, coarse ones with many ties, and with zeros, tiny numbers, outliers, and one sign only. */
export function kQuantNumbers(): Float32Array {
  const [gauss, flat] = [normal(11), uniform(12)];
  const blocks = Array.from({ length: 120 }, (_, block) => {
    const size = 2 ** (flat() * 40 - 30);
    const coarse = block % 5 === 0;
    const one = block % 7 === 0;
    const numbers = Array.from({ length: BLOCK }, (_, i) => {
      const drawn = coarse ? Math.round(4 * gauss()) : gauss();
      const outlier = block % 4 === 1 && i % 50 === 3 ? 30 : 1;
      return size * outlier * (one ? Math.abs(drawn) * (block % 2 === 0 ? 1 : -1) : drawn);
    });
    if (block % 6 === 0) numbers.fill(0, 32, 64);
    if (block % 6 === 1) numbers.fill(1e-20, 128, 144);
    if (block % 9 === 2) for (let i = 0; i < 16; i++) numbers[i] *= 1e-4;
    return numbers;
  });
  const edges = [0, 0.5, -0.5, 1e-16, 1e-30].map((value) => Array<number>(BLOCK).fill(value));
  return Float32Array.from([...blocks, ...edges].flat());
}

/** Columns of a row of these numbers, where columns have an importance. */
const COLUMNS = 5 * BLOCK;

/** An importance of columns: of many magnitudes, and of nothing for some of them. */
export function columnImportance(columns: number, seed: number): Float32Array {
  const gauss = normal(seed);
  return Float32Array.from({ length: columns }, (_, i) => (i % 97 === 5 ? 0 : Math.exp(2 * gauss())));
}

/** That of the columns of `kQuantNumbers`, in rows of 1,280. */
export const kQuantImportance = (): Float32Array => columnImportance(COLUMNS, 13);

/** That of a matrix of a toy, by its name in a GGUF file. */
export const toyImportance = (name: string, columns: number): Float32Array =>
  columnImportance(
    columns,
    Buffer.from(name).reduce((sum, byte) => (31 * sum + byte) % 1_000_003, 7),
  );

/** The toys, by name: heads that share values or not, a tied embedding, one matrix for q, k and v, and rows of 32 and of 40. */
export const K_QUANT_TOYS: Readonly<Record<string, () => string>> = {
  tied: () => toy('llama-gqa-tied', { num_attention_heads: 4, num_key_value_heads: 1, head_dim: 64 }, 4),
  shared: () => toy('llama-gqa-tied', { num_attention_heads: 4, num_key_value_heads: 1, head_dim: 8 }, 24),
  apart: () => toy('llama-plain', { num_attention_heads: 5, num_key_value_heads: 5, head_dim: 8 }, 17),
  fused: () => toy('phi3-partial', { num_attention_heads: 4, num_key_value_heads: 4, head_dim: 64 }, 9),
};

const toy = (name: 'llama-gqa-tied' | 'llama-plain' | 'phi3-partial', heads: object, blocks: number): string =>
  tinyCheckpoint(name, {
    tokenizer: true,
    dtype: 'F32',
    config: { hidden_size: BLOCK, intermediate_size: BLOCK, num_hidden_layers: blocks, ...heads },
  });

/** The toy whose bytes the golden file has too. */
export const K_QUANT_BYTES = 'tied';
