/**
 * What the classes of transformers can say about blocks that all have the same shape. Checked against transformers 5.24
 * by bench/peers/load_width.py, the further families by test/engine/write/width-styles.test.ts.
 */
import type { Architecture, LayerShape, LinearName } from '../checkpoint/architecture';
import { familyOf } from '../checkpoint/families';
import { counted } from '../../format/words';

export interface StockClass {
  readonly modelType: string;
  readonly name: string;
  /** Linears that always have a bias. */
  readonly always?: readonly LinearName[];
  /** Flags of the config, and the Linears that have a bias with each. */
  readonly switches?: Readonly<Record<string, readonly LinearName[]>>;
  /** It computes LLaMA's block, so that it can stand for another one that does. */
  readonly plain?: true;
  /** It refuses numbers of heads that do not divide the hidden size, even if `head_dim` is given. */
  readonly headsDivide?: true;
  /** It counts the factors of LongRoPE by the hidden size and the number of heads, even if `head_dim` is given. */
  readonly countsFactors?: true;
  /** Fields of its own by which it computes LLaMA's block: no windows, no dropout in training. */
  readonly without?: Readonly<Record<string, number | null>>;
}

const QUERIES: readonly LinearName[] = ['q', 'k', 'v'];
const ATTENTION: readonly LinearName[] = [...QUERIES, 'o'];
const MLP: readonly LinearName[] = ['gate', 'up', 'down'];

/** The classes that can replace each other where no block has a window come first, the better known ones before others. */
const CLASSES: readonly Omit<StockClass, 'name'>[] = [
  {
    modelType: 'llama',
    switches: { attention_bias: ATTENTION, mlp_bias: MLP },
    plain: true,
    headsDivide: true,
  },
  { modelType: 'mistral', plain: true, without: { sliding_window: null } },
  {
    modelType: 'seed_oss',
    switches: { attention_bias: QUERIES, attention_out_bias: ['o'], mlp_bias: MLP },
    plain: true,
    without: { residual_dropout: 0 },
  },
  { modelType: 'qwen2', always: QUERIES, plain: true },
  { modelType: 'qwen3', switches: { attention_bias: ATTENTION } },
  { modelType: 'gemma', switches: { attention_bias: ATTENTION } },
  { modelType: 'gemma2', switches: { attention_bias: ATTENTION }, headsDivide: true },
  { modelType: 'gemma3_text', switches: { attention_bias: ATTENTION }, headsDivide: true },
  { modelType: 'phi3', countsFactors: true },
  { modelType: 'granite', switches: { attention_bias: ATTENTION, mlp_bias: MLP } },
  { modelType: 'olmo2', switches: { attention_bias: ATTENTION } },
  { modelType: 'smollm3', switches: { attention_bias: ATTENTION, mlp_bias: MLP } },
];

const STOCK_CLASSES = CLASSES.map((each): StockClass => {
  return { ...each, name: familyOf({ family: each.modelType }).className };
});

/** The classes to try for a model, in order: its own, and those that compute the same blocks. */
export function classesFor({ family, layers }: Architecture): readonly StockClass[] {
  const own = STOCK_CLASSES.filter(({ modelType }) => modelType === family);
  // Windows are told by the own class only.
  const isPlain = own.some(({ plain }) => plain) && layers.every(({ window }) => window === null);
  const others = STOCK_CLASSES.filter((each) => !own.includes(each) && each.plain && !each.always);
  return isPlain ? [...own, ...others] : own;
}

/** How a class says which Linears have a bias. */
export interface Saying {
  readonly flags: Readonly<Record<string, boolean>>;
  /** Linears with a bias: those of the model, and those that the class knows only together with them. */
  readonly biases: readonly LinearName[];
}

/** How the class describes blocks of this shape; a reason if it cannot. */
export function sayingOf(stock: StockClass, hidden: number, shape: LayerShape): Saying | string {
  const { name, always = [], switches = {}, headsDivide, countsFactors } = stock;
  const { heads, biases } = shape;
  if (headsDivide && hidden % heads !== 0) {
    return `${name} refuses ${counted(heads, 'head')} in a hidden size of ${hidden}`;
  }
  if (countsFactors && !isCountOfFactors(hidden, shape)) {
    return `${name} expects other factors of LongRoPE for ${counted(heads, 'head')} in a hidden size of ${hidden}`;
  }
  const flags = Object.entries(switches).map(([flag, on]) => [flag, on.some((each) => biases.includes(each))] as const);
  const has = new Set([...always, ...flags.flatMap(([flag, isOn]) => (isOn ? switches[flag] : []))]);
  const missing = biases.filter((each) => !has.has(each));
  if (missing.length > 0) return `${name} has no bias in ${missing.map((each) => `${each}_proj`).join(', ')}`;
  return { flags: Object.fromEntries(flags), biases: [...ATTENTION, ...MLP].filter((each) => has.has(each)) };
}

/** Whether there are as many factors as a head of hidden size / heads would have. */
function isCountOfFactors(hidden: number, { heads, headDim, rope }: LayerShape): boolean {
  if (rope?.scaling.kind !== 'longrope') return true;
  const { turned = headDim, scaling } = rope;
  const width = Math.floor(hidden / heads);
  return Math.floor(Math.floor((width * turned) / headDim) / 2) === scaling.long.length;
}
