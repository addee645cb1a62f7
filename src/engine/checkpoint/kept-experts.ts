/** A model with fewer experts: which experts of each block stay. The router loses the rows of the others. */
import { createHash } from 'node:crypto';
import type { Architecture } from './architecture';
import type { ExpertsFeedForward } from './kinds/experts';
import { expertsIn } from './kinds/parts';

/** Kept experts by block, 0-based and ascending: one entry for each block with experts. */
export type KeptExperts = ReadonlyMap<number, readonly number[]>;

/** What each kept expert's output is multiplied by, in the order in which they are kept: one entry for each block with experts. */
export type ExpertFactors = ReadonlyMap<number, readonly number[]>;

/** A block with experts. */
export interface ExpertBlock {
  readonly block: number;
  readonly experts: ExpertsFeedForward;
}

/** The blocks with experts, in order. */
export const expertBlocks = ({ layers }: Pick<Architecture, 'layers'>): ExpertBlock[] =>
  layers.flatMap((layer, block) => {
    const experts = expertsIn(layer);
    return experts ? [{ block, experts }] : [];
  });

/** The model with only the experts that are kept. @throws Error for experts of another model */
export function withKeptExperts(architecture: Architecture, kept: KeptExperts): Architecture {
  const layers = [...architecture.layers];
  for (const [block, numbers] of kept) {
    const experts = block < layers.length ? expertsIn(layers[block]) : undefined;
    if (!experts) throw new Error(`block ${block} has no experts`);
    const isList = numbers.every((n, i) => Number.isInteger(n) && n > (i === 0 ? -1 : numbers[i - 1]));
    if (!isList || numbers.length < experts.chosen || numbers[numbers.length - 1] >= experts.count)
      throw new Error(`experts of another model in block ${block}`);
    layers[block] = { ...layers[block], ffn: { ...experts, count: numbers.length } };
  }
  return { ...architecture, layers };
}

/** SHA-256 (hex) of what is kept, and of the factors that kept experts have. */
export function digestOfExperts(kept: KeptExperts, factors: ExpertFactors = new Map()): string {
  const hash = createHash('sha256').update('coppice experts 1');
  const add = (what: string, lists: ExpertFactors): void => {
    for (const [block, each] of [...lists].sort(([a], [b]) => a - b))
      hash.update(`\n${what}${block}: ${each.join(' ')}`);
  };
  add('', kept);
  add('factors ', factors);
  return hash.digest('hex');
}
