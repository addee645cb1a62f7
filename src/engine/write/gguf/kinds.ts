/** The types that Coppice writes GGUF files in, by llama.cpp's names. Pure data, which definitions of jobs import. */

/** Mixes of K-quants: some matrices get more bits than others (mixes.ts). */
const K_MIXES = ['q2_k', 'q3_k_s', 'q3_k_m', 'q3_k_l', 'q4_k_s', 'q4_k_m', 'q5_k_s', 'q5_k_m', 'q6_k'] as const;

/** Norms and biases are F32 in every one of them. */
export const GGUF_TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0', 'q4_1', 'q5_0', 'q5_1', 'iq4_nl', ...K_MIXES] as const;

export type GgufType = (typeof GGUF_TYPES)[number];

/** Types that have no search which the importance of columns could guide. */
const UNSEARCHED: readonly string[] = ['f32', 'f16', 'bf16', 'q8_0'];

/** Whether the importance of columns changes the numbers of this type. */
export const usesImportance = (type: string): boolean => !UNSEARCHED.includes(type.toLowerCase());

/** Types that only llama.cpp makes. */
export const LLAMA_CPP_TYPES = ['q2_k_s', 'iq4_xs'] as const;
