/** A perplexity sweep of a large model in parts: what they need, and the best number of them for a cluster. */
import { CUT_WORK } from '../../src/engine/importance/cut-work';
import { rowBlockFlops } from '../../src/engine/importance/estimate';
import { MAX_PARTS } from '../../src/engine/parts/part';
import { costOf, type CuttableWork, type Share, splitWork } from '../../src/engine/parts/split';
import { type Needs, needsOf, passBytes, type SizedModel, type Use } from '../../src/estimates/sweep-needs';
import { type Cluster, predictedSeconds, readRate, type Stretch, stretchesOf } from './cluster';

/** Parts for each node that are tried. */
const PER_NODE = [1, 2, 3, 4, 8, 16];
/** Fewer parts are better if they take hardly longer. */
const ALIKE = 1.01;

/** One number of parts of a sweep. */
export interface Cut {
  readonly shares: readonly Share[];
  readonly needs: readonly Needs[];
}

export class Sweep {
  private readonly work: CuttableWork;
  private readonly cuts = new Map<number, Cut>();
  private readonly known = new Map<string, Needs>();

  constructor(
    readonly model: SizedModel,
    readonly rows: number,
    readonly use: Use,
  ) {
    const { architecture } = model;
    const frame = { rows, length: use.length, steps: architecture.layers.map((_, block) => ({ block })) };
    this.work = CUT_WORK.ppl(architecture, frame);
  }

  /** Operations of all of it in one process. */
  get flops(): number {
    return costOf(this.work, splitWork(this.work, 1)[0]) * rowBlockFlops(this.model.architecture, this.use.length);
  }

  /** The most parts that it can be cut into. */
  get most(): number {
    return Math.min(MAX_PARTS, Math.ceil(this.rows / this.work.unit) * this.work.candidates);
  }

  cut(parts: number): Cut {
    let found = this.cuts.get(parts);
    if (!found) {
      const shares = splitWork(this.work, parts);
      this.cuts.set(parts, (found = { shares, needs: shares.map((share) => this.needsOf(share)) }));
    }
    return found;
  }

  /** What each part does, in order. */
  stretches(parts: number): readonly (readonly Stretch[])[] {
    const known = new Map<string, readonly Stretch[]>();
    return this.cut(parts).shares.map((share) =>
      remembered(known, keyOf(share), () => stretchesOf(this.model, share, this.use)),
    );
  }

  private needsOf(share: Share): Needs {
    return remembered(this.known, keyOf(share), () => needsOf(this.model, this.work, share, this.use));
  }
}

/** Equal for shares that take the same. */
const keyOf = ({ rows, candidates, whole }: Share): string =>
  [rows.to - rows.from, candidates.from, candidates.to, whole].join(' ');

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  let found = known.get(key);
  if (found === undefined) known.set(key, (found = make()));
  return found;
}

export interface Best {
  readonly parts: number;
  /** By the formula. */
  readonly seconds: number;
}

/**
 * The fewest parts of those that take least, within a hundredth: by the formula, and half of a part more, which is lost where a
 * node is. So more parts than nodes are better where reading is cheap, and fewer where the file server is the limit.
 */
export function bestParts(sweep: Sweep, cluster: Cluster): Best {
  const fewer = Array.from({ length: Math.floor(Math.log2(cluster.nodes)) }, (_, i) => 2 ** i);
  const counts = [...fewer, ...PER_NODE.map((each) => each * cluster.nodes)].map((n) => Math.min(n, sweep.most));
  const tried = [...new Set(counts)].map((parts) => {
    const seconds = predictedSeconds(sweep.cut(parts).needs, cluster);
    return { parts, seconds, expected: seconds * (1 + 1 / (2 * Math.ceil(parts / cluster.nodes))) };
  });
  const least = Math.min(...tried.map(({ expected }) => expected));
  return tried.find(({ expected }) => expected <= ALIKE * least)!;
}

/**
 * Rows that a pass over the checkpoint needs until computing takes as long as reading, all nodes reading at once. A part with
 * some of the candidates counts as the rows that take as long with all of them.
 */
export function balancedRows(model: SizedModel, length: number, cluster: Cluster): number {
  const row = new Sweep(model, 1, { length, budget: Infinity }).flops;
  return ((passBytes(model) / readRate(cluster, cluster.nodes)) * cluster.flops) / row;
}

/** The largest part of a cut, by what it computes. */
export const largest = ({ needs }: Cut): Needs => needs.reduce((most, each) => (each.flops > most.flops ? each : most));
