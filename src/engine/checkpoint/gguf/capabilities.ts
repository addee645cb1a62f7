/** What the graphs of llama.cpp's architectures compute, where they differ. Facts of its version 0.5.0, of September 2026. */
import type { Architecture, LinearName } from '../architecture';

export type GgufArchitecture =
  'llama' | 'deci' | 'qwen2' | 'qwen3' | 'gemma' | 'gemma2' | 'gemma3' | 'phi3' | 'granite' | 'olmo2' | 'smollm3';

export interface Capabilities {
  /** It rotates neighbours, so that rows of q and k are in the order of pairs, as LLaMA's authors stored them. */
  readonly paired: boolean;
  /** The Linears that may have a bias. */
  readonly biases: readonly LinearName[];
  /** All query heads together have to be as wide as the model. */
  readonly square: boolean;
  /** It divides the rotation's frequencies by numbers of the file. */
  readonly factors: boolean;
  /** It does so by one of two lists of them. */
  readonly longrope: boolean;
  /** Whether the head is the embedding's matrix: as the file has it, always, or never. */
  readonly tied: 'either' | 'always' | 'never';
}

const ATTENTION: readonly LinearName[] = ['q', 'k', 'v'];
const ALL: readonly LinearName[] = [...ATTENTION, 'o', 'gate', 'up', 'down'];

const PLAIN: Capabilities = {
  paired: false,
  biases: ATTENTION,
  square: false,
  factors: false,
  longrope: false,
  tied: 'either',
};
const LLAMA: Capabilities = { ...PLAIN, paired: true, biases: ALL, factors: true, longrope: true };

export const CAPABILITIES: Readonly<Record<GgufArchitecture, Capabilities>> = {
  llama: LLAMA,
  deci: LLAMA,
  granite: LLAMA,
  qwen2: { ...PLAIN, square: true },
  // Its biases would be read too, but no reader of files with both was tried.
  qwen3: { ...PLAIN, biases: [] },
  gemma: { ...PLAIN, tied: 'always' },
  gemma2: { ...PLAIN, tied: 'always' },
  gemma3: PLAIN,
  phi3: { ...PLAIN, biases: [], square: true, longrope: true },
  olmo2: { ...PLAIN, square: true, tied: 'never' },
  smollm3: { ...PLAIN, paired: true },
};

/** Of Gemma's models of 27 billion parameters, which llama.cpp knows by the number of their blocks. */
const LARGE: Readonly<Partial<Record<GgufArchitecture, number>>> = { gemma2: 46, gemma3: 62 };

/** The factor of the scores that llama.cpp takes where no field says it. */
export function scoreScaleOf(
  name: GgufArchitecture,
  { layers, hidden }: Pick<Architecture, 'layers' | 'hidden'>,
): number {
  const [{ heads, headDim }] = layers;
  return 1 / Math.sqrt(layers.length === LARGE[name] ? Math.floor(hidden / heads) : headDim);
}

/** The period of blocks of which all but the last have a window. */
export const WINDOW_PERIOD: Readonly<Partial<Record<GgufArchitecture, number>>> = { gemma2: 2, gemma3: 6 };

/** Of as many blocks the last one does not rotate. */
export const NO_ROPE_PERIOD = 4;

/** Bounds of yarn's interpolation, which no field changes in these architectures. */
export const YARN_BOUNDS = { betaFast: 32, betaSlow: 1, truncate: true } as const;
