/**
 * Which of llama.cpp's architectures a model is written as: the one whose graph computes the same. `llama` has equal
 * blocks, `deci` heads and widths that differ from block to block; both have every bias. What none of them computes is
 * refused, because a reader would not notice. Only windows of attention are left out with a note: texts that fit into
 * them get the same numbers.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Architecture, LayerShape, LinearName, Rope } from '../../checkpoint/architecture';
import { UserError } from '../../errors';

export type GgufArchitecture = 'llama' | 'deci' | 'qwen2' | 'qwen3';

export interface Dialect {
  readonly name: GgufArchitecture;
  /** Of every block. */
  readonly headDim: number;
  readonly rope: Rope;
  /** Rows of q and k are in the order of pairs that are rotated together, as LLaMA's authors stored them. */
  readonly paired: boolean;
  /** What llama.cpp computes otherwise, and from when on. */
  readonly notes: readonly string[];
}

/** llama.cpp's own limit. */
const MAX_BLOCKS = 512;
const ACTION = 'Write it as a checkpoint, which Coppice computes with.';

/** @throws UserError for a model that llama.cpp would compute otherwise */
export function dialectOf(architecture: Architecture): Dialect {
  const { layers } = architecture;
  if (layers.length > MAX_BLOCKS)
    throw refused(`it has ${layers.length} blocks, and llama.cpp loads up to ${MAX_BLOCKS}`);
  const headDim = shared(layers, 'headDim', 'heads of different widths');
  const rope = shared(layers, 'rope', 'different rotations');
  if (rope === null) throw refused('it does not rotate queries and keys');
  if (headDim % 2 !== 0) throw refused(`its heads have ${headDim} numbers, which is odd`);
  const qkNorm = shared(layers, 'qkNorm', 'normalised queries and keys in some blocks only');
  const uniform = layers.every((layer) =>
    isDeepStrictEqual({ ...layer, window: null }, { ...layers[0], window: null }),
  );
  const common = { headDim, rope, notes: windowNotes(architecture) };
  if (qkNorm) return { ...common, name: normalised(layers, uniform), paired: false };
  if (uniform && isQwen2(architecture)) return { ...common, name: 'qwen2', paired: false };
  return { ...common, name: uniform ? 'llama' : 'deci', paired: true };
}

/** The value that all blocks have. */
function shared<K extends keyof LayerShape>(layers: readonly LayerShape[], key: K, what: string): LayerShape[K] {
  const [first] = layers;
  if (layers.every((layer) => isDeepStrictEqual(layer[key], first[key]))) return first[key];
  throw refused(`its blocks have ${what}, and llama.cpp has no architecture for that`);
}

/** llama.cpp attends to all earlier positions in these architectures. A window as long as the context is none. */
function windowNotes({ layers, context }: Architecture): string[] {
  const windows = layers.flatMap(({ window }) => (window !== null && window < context ? [window] : []));
  if (windows.length === 0) return [];
  const which = windows.length === layers.length ? 'its blocks' : `${windows.length} of its ${layers.length} blocks`;
  const least = Math.min(...windows);
  return [
    `${which} attend to a window of ${least} tokens, which a GGUF file of this architecture cannot say: ` +
      `llama.cpp attends to all of them, so texts of more than ${least} tokens get other numbers there`,
  ];
}

/** Qwen3's architecture has norms on queries and keys; all blocks are equal, and there are no biases. */
function normalised(layers: readonly LayerShape[], uniform: boolean): 'qwen3' {
  if (!uniform) {
    const why = 'its blocks differ and have normalised queries and keys, and llama.cpp has no architecture for that';
    throw refused(why, `Choose equal widths for all blocks. ${ACTION}`);
  }
  if (layers[0].biases.length > 0) {
    const why = 'it has biases and normalised queries and keys, and llama.cpp has no architecture for both';
    throw refused(why, `If the biases make up for removed parts, leave them out. ${ACTION}`);
  }
  return 'qwen3';
}

const QWEN2_BIASES: readonly LinearName[] = ['q', 'k', 'v'];

/** Qwen2's architecture has square queries and three biases. Anything else of this family is written like LLaMA. */
function isQwen2({ family, hidden, layers: [{ heads, headDim, biases }] }: Architecture): boolean {
  return family === 'qwen2' && heads * headDim === hidden && isDeepStrictEqual(biases, QWEN2_BIASES);
}

function refused(why: string, action = ACTION): UserError {
  return new UserError('The model cannot be written as GGUF', why, action);
}
