/**
 * Which matrix of a quantized file gets which type, as llama.cpp's own program chooses: more bits for what costs most when it is
 * rounded. That is the matrix that makes the logits, values and the way back from the FFN, these in the first and last eighth of the blocks
 * and in every third one between. Three mixes give the first ways back from the FFN another type where columns have an importance.
 */
import type { WeightKey } from '../../checkpoint/weight-key';
import { expertOf } from '../../checkpoint/kinds/experts';
import { attentionIn } from '../../checkpoint/kinds/parts';
import { K_BLOCK } from '../../formats/gguf/k-quants/quantize';
import { blockElements, isQuantized, type QuantizedDtype } from '../../formats/gguf/quantize';
import type { WeightSource } from '../../weights/source';
import type { RewrittenDtype } from '../rewrite';
import type { GgufType } from './kinds';

/** The type of most matrices. */
export const MAIN: Readonly<Record<GgufType, RewrittenDtype>> = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  q8_0: 'Q8_0',
  q4_0: 'Q4_0',
  q4_1: 'Q4_1',
  q5_0: 'Q5_0',
  q5_1: 'Q5_1',
  iq4_nl: 'IQ4_NL',
  q2_k: 'Q2_K',
  q3_k_s: 'Q3_K',
  q3_k_m: 'Q3_K',
  q3_k_l: 'Q3_K',
  q4_k_s: 'Q4_K',
  q4_k_m: 'Q4_K',
  q5_k_s: 'Q5_K',
  q5_k_m: 'Q5_K',
  q6_k: 'Q6_K',
};

/** A matrix of the written file. */
interface Matrix {
  readonly key: WeightKey;
  /** (rows, columns) */
  readonly shape: readonly number[];
  /** Its block in the written file, and how many that has. */
  readonly block: number;
  readonly blocks: number;
}

/** Of the model that is written. */
interface Model {
  readonly tied: boolean;
  /** Query heads that share keys and values, in the first block. */
  readonly shared: number;
  /** llama.cpp's name of its architecture. */
  readonly dialect: string;
  /** Whether columns have an importance. */
  readonly isWeighed: boolean;
  /** The first block has eight experts, as Mixtral, whose attention is small beside them: llama.cpp gives it more bits. */
  readonly hasEight: boolean;
}

/** The types of the matrices of a file. */
export class Mix {
  private readonly model: Model;
  private readonly others = new Map<string, number>();

  /**
   * @param kept blocks of the weights that are written, in this order
   * @param written llama.cpp's name of the written architecture, and whether columns have an importance
   */
  constructor(
    private readonly type: GgufType,
    private readonly weights: WeightSource,
    private readonly kept: readonly number[],
    written: Pick<Model, 'dialect' | 'isWeighed'>,
  ) {
    const { tied, layers } = weights.architecture;
    const first = layers[kept[0]];
    // Of hybrids, those of the first block that attends.
    const [{ heads, kvHeads }] = kept.flatMap((block) => attentionIn(layers[block]) ?? []);
    const hasEight = first.ffn.kind === 'experts' && first.ffn.count === 8;
    this.model = { ...written, tied, shared: Math.floor(heads / kvHeads), hasEight };
  }

  /** Called once for each matrix of the file: a type in place of another one is counted. */
  typeOf(key: WeightKey): RewrittenDtype {
    const main = MAIN[this.type];
    if (!isQuantized(main)) return main;
    const { kept, model, weights } = this;
    const block = typeof key === 'string' ? 0 : kept.indexOf(key.layer);
    const matrix = { key, shape: weights.shape(key), block, blocks: kept.length };
    const wanted = makesLogits(matrix, model) ? logitsType(main, matrix) : mixedType(this.type, main, matrix, model);
    const found = fitting(wanted, matrix);
    if (found !== wanted && found !== 'F16') {
      const other = `${found} in place of ${wanted}`;
      this.others.set(other, (this.others.get(other) ?? 0) + 1);
    }
    return found;
  }

  /** "180 matrices have rows that are no multiple of 256 long: 150 are Q5_0 in place of Q4_K, 30 are Q8_0 in place of Q6_K" */
  notes(): string[] {
    const count = [...this.others.values()].reduce((sum, each) => sum + each, 0);
    if (count === 0) return [];
    const has = count === 1 ? '1 matrix has rows that are' : `${count} matrices have rows that are`;
    const which = [...this.others].map(([other, some]) => `${some} ${some === 1 ? 'is' : 'are'} ${other}`);
    return [`${has} no multiple of ${K_BLOCK} long: ${which.join(', ')}, as in llama.cpp's own files`];
  }
}

/** A tied embedding makes them. */
const makesLogits = ({ key }: Matrix, { tied }: Model): boolean => key === (tied ? 'embed' : 'head');

/** Whether rows of a tensor are whole numbers of the blocks that the type stores together. */
export const wholeBlocks = (dtype: RewrittenDtype, shape: readonly number[]): boolean =>
  !isQuantized(dtype) || shape[shape.length - 1] % blockElements(dtype) === 0;

const logitsType = (main: QuantizedDtype, { shape }: Matrix): QuantizedDtype =>
  main === 'Q8_0' || !wholeBlocks(main, shape) ? 'Q8_0' : 'Q6_K';

/** What takes the place of a type of blocks of 256 where rows are a multiple of 32 only. */
const SMALLER_BLOCKS: Readonly<Partial<Record<QuantizedDtype, QuantizedDtype>>> = {
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
};

function fitting(dtype: QuantizedDtype, { shape }: Matrix): RewrittenDtype {
  if (wholeBlocks(dtype, shape)) return dtype;
  const smaller = SMALLER_BLOCKS[dtype];
  return smaller !== undefined && wholeBlocks(smaller, shape) ? smaller : 'F16';
}

/** Blocks whose values and way back from the FFN get more bits. */
const needsMore = ({ block, blocks }: Matrix): boolean => {
  const eighth = Math.floor(blocks / 8);
  return block < eighth || block >= Math.floor((7 * blocks) / 8) || (block - eighth) % 3 === 2;
};

function mixedType(type: GgufType, main: QuantizedDtype, matrix: Matrix, model: Model): QuantizedDtype {
  const { key } = matrix;
  if (typeof key === 'string') return main;
  switch (expertOf(key.name)?.matrix ?? key.name) {
    case 'k':
      return model.hasEight ? 'Q8_0' : main;
    case 'v':
    case 'qkv':
      return valueType(type, main, matrix, model);
    case 'down':
      return downType(type, main, matrix, model);
    case 'o':
      return (model.hasEight ? OUTPUT_OF_EIGHT : OUTPUT)[type] ?? main;
    default:
      return main;
  }
}

/** Of attention's way back. */
const OUTPUT: Readonly<Partial<Record<GgufType, QuantizedDtype>>> = { q2_k: 'Q3_K', q3_k_m: 'Q4_K', q3_k_l: 'Q5_K' };

/** The same beside eight experts. */
const OUTPUT_OF_EIGHT: typeof OUTPUT = {
  q2_k: 'Q5_K',
  q3_k_s: 'Q5_K',
  q3_k_m: 'Q5_K',
  iq4_nl: 'Q5_K',
  q4_k_s: 'Q5_K',
  q4_k_m: 'Q5_K',
};

/** Of values, and of queries, keys and values in one. */
function valueType(
  type: GgufType,
  main: QuantizedDtype,
  matrix: Matrix,
  { shared, dialect, hasEight }: Model,
): QuantizedDtype {
  if (hasEight) return 'Q8_0';
  const dtype = ((): QuantizedDtype => {
    switch (type) {
      case 'q2_k':
        return shared >= 4 ? 'Q4_K' : 'Q3_K';
      case 'q3_k_m':
        return matrix.block < 2 ? 'Q5_K' : 'Q4_K';
      case 'q3_k_l':
        return 'Q5_K';
      case 'iq4_nl':
        return shared >= 4 ? 'Q5_K' : main;
      case 'q4_k_s':
        return matrix.block < 4 ? 'Q5_K' : main;
      case 'q4_k_m':
      case 'q5_k_m':
        return needsMore(matrix) ? 'Q6_K' : main;
      default:
        return main;
    }
  })();
  // llama.cpp takes a LLaMA of 80 blocks whose heads share values for the one of 70B, whose values are few.
  const isLarge = dialect === 'llama' && matrix.blocks === 80 && shared > 1;
  return isLarge && (dtype === 'Q3_K' || dtype === 'Q4_K') ? 'Q5_K' : dtype;
}

function downType(type: GgufType, main: QuantizedDtype, matrix: Matrix, { isWeighed }: Model): QuantizedDtype {
  const { block, blocks } = matrix;
  const isFirst = block < Math.floor(blocks / 8);
  switch (type) {
    case 'q4_0':
      return isWeighed && isFirst ? 'Q4_1' : main;
    case 'q5_0':
      return isWeighed && isFirst ? 'Q5_1' : main;
    case 'iq4_nl':
      return !isWeighed && isFirst ? 'Q5_K' : main;
    case 'q2_k':
      return 'Q3_K';
    case 'q3_k_m':
      return block < Math.floor(blocks / 16) ? 'Q5_K' : 'Q4_K';
    case 'q3_k_l':
      return 'Q5_K';
    case 'q4_k_s':
      return isFirst ? 'Q5_K' : main;
    case 'q4_k_m':
    case 'q5_k_m':
      return needsMore(matrix) ? 'Q6_K' : main;
    default:
      return main;
  }
}
