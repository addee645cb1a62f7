/**
 * A mixture of experts: a router chooses some of many gated FFNs for each token and weighs what they give. Shazeer et al.
 * 2017; Fedus et al. 2022.
 */
import { DENSE_KIND, type DenseFeedForward } from './dense';
import type { Kind, Weights } from './kind';

export interface ExpertsFeedForward {
  readonly kind: 'experts';
  /** Experts. */
  readonly count: number;
  /** Experts of a token. */
  readonly chosen: number;
  /** Neurons of an expert. */
  readonly width: number;
  /**
   * What the router's softmax is over: all experts, and the chosen ones keep their weights as they are; or the chosen ones
   * alone, which is the same as dividing those weights by their sum.
   */
  readonly weighs: 'all' | 'chosen';
  /** Router and matrices have biases. */
  readonly biased?: true;
  /** What stands for the gate and its activation: SwiGLU, or that of gpt-oss, which is bounded (feed-forwards/experts.ts). */
  readonly form?: 'clamped';
  /** A dense FFN beside the experts that every token has; what it gives is added. None if absent. */
  readonly shared?: DenseFeedForward;
}

/** A matrix of an expert. */
export type ExpertLinear = `experts.${number}.${'gate' | 'up' | 'down'}`;
export type ExpertWeight = 'router' | 'routerBias' | ExpertLinear | `${ExpertLinear}Bias`;

/** The name of one of an expert's matrices. */
export const expertLinear = (expert: number, matrix: 'gate' | 'up' | 'down'): ExpertLinear =>
  `experts.${expert}.${matrix}`;

/** The matrices of one expert in groups that share an input, in the order in which they are applied. */
export const expertGroups = (expert: number): readonly (readonly ExpertLinear[])[] => [
  [expertLinear(expert, 'gate'), expertLinear(expert, 'up')],
  [expertLinear(expert, 'down')],
];

/** The expert and the rest of a name of its weights, "gate" or "downBias"; undefined for the router and for other weights. */
export function ofExpert(name: string): { readonly expert: number; readonly rest: string } | undefined {
  const match = /^experts\.(\d+)\.(.+)$/.exec(name);
  return match ? { expert: Number(match[1]), rest: match[2] } : undefined;
}

/** The expert and the matrix of it that a weight is; undefined for other weights, and for biases. */
export function expertOf(
  name: string,
): { readonly expert: number; readonly matrix: 'gate' | 'up' | 'down' } | undefined {
  const { expert, rest } = ofExpert(name) ?? {};
  const isMatrix = rest === 'gate' || rest === 'up' || rest === 'down';
  return expert !== undefined && isMatrix ? { expert, matrix: rest } : undefined;
}

export const EXPERTS_KIND: Kind<ExpertsFeedForward> = {
  words: 'experts',
  // Methods that go through a block's Linears leave experts as they are, and have the FFN beside them.
  linears: [],
  groups: ({ shared }) => (shared ? DENSE_KIND.groups(shared) : []),
  last: ({ shared }) => (shared ? DENSE_KIND.last(shared) : []),
  inner: ({ chosen, width, shared }) => chosen * width + (shared?.width ?? 0),
  weights: ({ count, width, biased, shared }, names) => {
    const { hidden, weight, bias } = names;
    const experts: Record<ExpertLinear | `${ExpertLinear}Bias`, ReturnType<typeof weight>> = {};
    const add = (name: ExpertLinear, out: number, input: number): void => {
      experts[name] = weight(name, out, input);
      if (biased) experts[`${name}Bias`] = bias(name, out);
    };
    for (let expert = 0; expert < count; expert++) {
      add(expertLinear(expert, 'gate'), width, hidden);
      add(expertLinear(expert, 'up'), width, hidden);
      add(expertLinear(expert, 'down'), hidden, width);
    }
    const router = { router: weight('router', count, hidden), ...(biased && { routerBias: bias('router', count) }) };
    return { ...router, ...experts, ...(shared && DENSE_KIND.weights(shared, names)) } satisfies Weights;
  },
};
