/** What every kind of mixer and of feed-forward says of itself. */
import type { LinearName, Style } from '../architecture';
import type { BlockWeightName } from '../weight-key';
import type { Weight } from '../weight-names';

/** Weights by Coppice's names, in the order of lists and counts. */
export type Weights = Readonly<Partial<Record<BlockWeightName, Weight>>>;

/** The names and sizes that the weights of a block are made from. */
export interface BlockNames {
  /** Width of the residual stream. */
  readonly hidden: number;
  readonly style: Style;
  /** A module's weight by the family's name of the module. Shapes are (out, in). */
  readonly weight: (module: string, ...shape: number[]) => Weight;
  /** A parameter that is not of a module. */
  readonly bare: (parameter: string, ...shape: number[]) => Weight;
  /** A module's bias. */
  readonly bias: (module: string, width: number) => Weight;
}

/** A Linear whose output goes into the stream. */
export interface LastLinear {
  readonly name: LinearName;
  /** Numbers of a token that it gets. */
  readonly width: number;
  /** What its output is multiplied by on the way to the stream, beside the model's factor for all modules. */
  readonly factor: number;
}

/** One kind of mixer or of feed-forward. */
export interface Kind<Shape> {
  /** In words, for messages: "attention". */
  readonly words: string;
  /** Every Linear that a block of this kind can have. */
  readonly linears: readonly LinearName[];
  /** Its Linears in groups that share an input, in the order in which they are applied. */
  readonly groups: (shape: Shape) => readonly (readonly LinearName[])[];
  /** Those that adapters leave out; none if absent. */
  readonly unadapted?: readonly LinearName[];
  /** The Linears whose outputs go into the stream, which healing corrects; none of experts, which it leaves as they are. */
  readonly last: (shape: Shape) => readonly LastLinear[];
  /** Numbers of a token between its first products and its last one. */
  readonly inner: (shape: Shape) => number;
  /** Its weights but for the norms of the stream. */
  readonly weights: (shape: Shape, names: BlockNames) => Weights;
  /** What it carries from token to token beside keys and values: the extents of each state of a text. Nothing if absent. */
  readonly carried?: (shape: Shape) => Carried;
}

/** States by name, with their extents for one text. */
export type Carried = Readonly<Record<string, readonly number[]>>;

/** The biases of some Linears, in their order. @param widths by Linear */
export function biasWeights(
  biases: readonly LinearName[],
  { bias }: Pick<BlockNames, 'bias'>,
  widths: Readonly<Partial<Record<LinearName, number>>>,
): Weights {
  const named = (Object.entries(widths) as [LinearName, number][]).filter(([linear]) => biases.includes(linear));
  return Object.fromEntries(named.map(([linear, width]) => [`${linear}Bias`, bias(linear, width)]));
}
