/** Which classes of transformers can say what the blocks of a narrower model are (`narrower` of the families). */
import type { Architecture, LinearName } from '../checkpoint/architecture';
import { FAMILIES } from '../checkpoint/families';
import { ATTENTION, MLP, type ModelFamily, type NarrowerClass } from '../checkpoint/families/family';
import { windowOf } from '../checkpoint/kinds/parts';
import type { PlainShape } from '../checkpoint/kinds/plain';
import { counted } from '../../format/words';

export interface StockClass extends ModelFamily {
  readonly narrower: NarrowerClass;
}

const STOCK_CLASSES = FAMILIES.filter((family): family is StockClass => family.narrower !== undefined);

/** The classes to try for a model, in order: its own, and those that compute the same blocks. */
export function classesFor({ family, layers }: Architecture): readonly StockClass[] {
  const own = STOCK_CLASSES.filter(({ modelType }) => modelType === family);
  // Windows are told by the own class only.
  const isPlain = own.some(({ narrower }) => narrower.plain) && layers.every((layer) => windowOf(layer) === null);
  // In the order of the families: the better known ones first.
  const others = STOCK_CLASSES.filter((each) => !own.includes(each) && each.narrower.plain && !each.narrower.always);
  return isPlain ? [...own, ...others] : own;
}

/** How a class says which Linears have a bias. */
export interface Saying {
  readonly flags: Readonly<Record<string, boolean>>;
  /** Linears with a bias: those of the model, and those that the class knows only together with them. */
  readonly biases: readonly LinearName[];
}

/** How the class describes blocks of this shape; a reason if it cannot. */
export function sayingOf(
  { className: name, narrower }: StockClass,
  hidden: number,
  shape: PlainShape,
): Saying | string {
  const { always = [], switches = {}, headsDivide, countsFactors } = narrower;
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
function isCountOfFactors(hidden: number, { heads, headDim, rope }: PlainShape): boolean {
  if (rope?.scaling.kind !== 'longrope') return true;
  const { turned = headDim, scaling } = rope;
  const width = Math.floor(hidden / heads);
  return Math.floor(Math.floor((width * turned) / headDim) / 2) === scaling.long.length;
}
