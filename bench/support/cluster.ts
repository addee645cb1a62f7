/**
 * Parts on a cluster, on paper: how long they take together, by a formula and by a simulation of every event. Nodes take
 * parts in order; readers share a file server evenly; a process reads a block, computes with it, and reads the next one.
 */
import { layerParameters } from '../../src/engine/checkpoint/parameters';
import { headWork } from '../../src/engine/model/cost';
import { rowBlockFlops } from '../../src/engine/importance/estimate';
import type { Share } from '../../src/engine/parts/split';
import { groupsOf, type Needs, type SizedModel, type Use } from '../../src/estimates/sweep-needs';

export interface Cluster {
  readonly nodes: number;
  /** Operations a second of a node. */
  readonly flops: number;
  /** Bytes a second that a node can read, and that the file server gives to all together. */
  readonly nodeRead: number;
  readonly serverRead: number;
  /** Seconds until a part's process begins to read. */
  readonly start: number;
}

/** A stretch of a part: it reads, then computes. */
export interface Stretch {
  readonly bytes: number;
  readonly flops: number;
}

/** A node that is lost in the middle and comes back. */
export interface Failure {
  readonly node: number;
  /** Seconds from the begin, and until it takes parts again. */
  readonly at: number;
  readonly repair: number;
}

/** Bytes a second of each of `readers` that read at once. */
export const readRate = ({ nodeRead, serverRead }: Cluster, readers: number): number =>
  Math.min(nodeRead, serverRead / Math.max(1, readers));

/**
 * The formula: as many rounds as there are parts for a node, each as long as its longest part. A part reads at its node's
 * speed, and no faster than the file server serves all that read in the round. It is an upper bound where parts are uneven or
 * nodes drift apart, so that some read while others compute.
 */
export function predictedSeconds(parts: readonly Needs[], cluster: Cluster): number {
  const reading = readingSeconds(parts, cluster);
  const longest = Math.max(...parts.map((part, i) => reading[i] + part.flops / cluster.flops));
  return Math.ceil(parts.length / cluster.nodes) * (cluster.start + longest);
}

/** Seconds that each part reads, as many at once as there are nodes. */
export function readingSeconds(parts: readonly Needs[], { nodes, nodeRead, serverRead }: Cluster): number[] {
  const mean = parts.reduce((sum, { readBytes }) => sum + readBytes, 0) / parts.length;
  const shared = (mean * Math.min(parts.length, nodes)) / serverRead;
  return parts.map(({ readBytes }) => Math.max(readBytes / nodeRead, shared));
}

/** The same with a node that is lost: what it did of its part is done again. An upper bound too. */
export function predictedWithLoss(parts: readonly Needs[], cluster: Cluster, repair: number): number {
  const whole = predictedSeconds(parts, cluster);
  return whole + whole / Math.ceil(parts.length / cluster.nodes) + repair;
}

/**
 * What a share does in order: for each group of rows and variants that fits into memory, all blocks and the head.
 * @param most stretches of a group; neighbouring blocks count as one
 */
export function stretchesOf(model: SizedModel, share: Share, use: Use, most = 16): Stretch[] {
  const { architecture, bytesPerWeight } = model;
  const blocks = layerParameters(architecture);
  const flops = rowBlockFlops(architecture, use.length);
  const each = Math.ceil((blocks.length + 1) / most);
  return groupsOf(architecture, share, use).flatMap(({ rows, candidates }) => {
    const end = share.whole ? blocks.length : (candidates.at(-1) ?? 0);
    const perBlock = blocks.map((parameters, k): Stretch => {
      const states = candidates.filter((candidate) => candidate < k).length + Number(k < end);
      return { bytes: parameters * bytesPerWeight, flops: rows.length * states * flops };
    });
    const head = {
      bytes: architecture.vocabulary * architecture.hidden * bytesPerWeight,
      flops: rows.length * (candidates.length + Number(share.whole)) * headWork(architecture) * flops,
    };
    return joined([...perBlock, head], each);
  });
}

function joined(stretches: readonly Stretch[], each: number): Stretch[] {
  return Array.from({ length: Math.ceil(stretches.length / each) }, (_, i) => {
    const some = stretches.slice(i * each, (i + 1) * each);
    return {
      bytes: some.reduce((sum, { bytes }) => sum + bytes, 0),
      flops: some.reduce((sum, { flops }) => sum + flops, 0),
    };
  });
}

/** A node at work. Events of an earlier turn are void. */
interface Worker {
  turn: number;
  part: number | undefined;
  stretch: number;
  reading: boolean;
}

interface Event {
  readonly node: number;
  readonly turn: number;
  readonly what: 'begin' | 'read' | 'computed' | 'lost' | 'back';
}

/**
 * The simulation. @param parts stretches of each, in order
 * @returns seconds until all parts are done, and how often a part began
 */
export function simulate(
  parts: readonly (readonly Stretch[])[],
  cluster: Cluster,
  failure?: Failure,
): { readonly seconds: number; readonly begun: number } {
  return new Simulation(parts, cluster).run(failure);
}

class Simulation {
  private time = 0;
  /** Bytes that a reader would have got from the begin. A read ends when this has grown by its bytes. */
  private served = 0;
  private readers = 0;
  private readonly reads = new Heap<Event>();
  private readonly timers = new Heap<Event>();
  private readonly queue: number[];
  private readonly workers: Worker[];
  private left: number;
  private begun = 0;

  constructor(
    private readonly parts: readonly (readonly Stretch[])[],
    private readonly cluster: Cluster,
  ) {
    this.queue = [...parts.keys()].reverse();
    this.left = parts.length;
    this.workers = Array.from({ length: cluster.nodes }, () => {
      return { turn: 0, part: undefined, stretch: 0, reading: false };
    });
  }

  run(failure: Failure | undefined): { readonly seconds: number; readonly begun: number } {
    if (failure) {
      const { node, at, repair } = failure;
      this.timers.push(at, { node, turn: -1, what: 'lost' });
      this.timers.push(at + repair, { node, turn: -1, what: 'back' });
    }
    for (const node of this.workers.keys()) this.take(node);
    while (this.left > 0) this.next();
    return { seconds: this.time, begun: this.begun };
  }

  private next(): void {
    const rate = readRate(this.cluster, this.readers);
    const readAt = this.time + (this.reads.least - this.served) / rate;
    const isRead = readAt < this.timers.least;
    const at = isRead ? readAt : this.timers.least;
    if (this.readers > 0) this.served += (at - this.time) * rate;
    this.time = at;
    this.handle((isRead ? this.reads : this.timers).pop());
  }

  private handle({ node, turn, what }: Event): void {
    if (what === 'lost') this.lose(node);
    else if (what === 'back') this.take(node);
    else this.goOn(node, turn, what);
  }

  private goOn(node: number, turn: number, what: Event['what']): void {
    const worker = this.workers[node];
    if (worker.turn !== turn) return;
    if (what === 'read') {
      worker.reading = false;
      this.readers--;
      const { flops } = this.parts[worker.part!][worker.stretch];
      this.timers.push(this.time + flops / this.cluster.flops, { node, turn, what: 'computed' });
      return;
    }
    if (what === 'computed') worker.stretch++;
    if (worker.stretch === this.parts[worker.part!].length) {
      this.left--;
      this.take(node);
    } else this.read(node);
  }

  private read(node: number): void {
    const worker = this.workers[node];
    worker.reading = true;
    this.readers++;
    const { bytes } = this.parts[worker.part!][worker.stretch];
    this.reads.push(this.served + bytes, { node, turn: worker.turn, what: 'read' });
  }

  /** A node without a part takes the next one. */
  private take(node: number): void {
    const worker = this.workers[node];
    worker.turn++;
    worker.stretch = 0;
    worker.part = this.queue.pop();
    if (worker.part === undefined) return;
    this.begun++;
    this.timers.push(this.time + this.cluster.start, { node, turn: worker.turn, what: 'begin' });
  }

  /** What the node has done of its part is lost, and the part is the next one to be taken. */
  private lose(node: number): void {
    const worker = this.workers[node];
    worker.turn++;
    if (worker.reading) {
      worker.reading = false;
      this.readers--;
      this.reads.remove((event) => event.node === node);
    }
    if (worker.part === undefined) return;
    this.queue.push(worker.part);
    worker.part = undefined;
    const idle = this.workers.findIndex((other, n) => n !== node && other.part === undefined);
    if (idle >= 0) this.take(idle);
  }
}

/** The least of some values first. */
class Heap<T> {
  private readonly items: { readonly key: number; readonly value: T }[] = [];

  /** Infinity when it is empty. */
  get least(): number {
    return this.items.at(0)?.key ?? Infinity;
  }

  push(key: number, value: T): void {
    const { items } = this;
    let at = items.push({ key, value }) - 1;
    while (at > 0 && items[(at - 1) >> 1].key > items[at].key) at = this.swap(at, (at - 1) >> 1);
  }

  pop(): T {
    const { items } = this;
    const [{ value }] = items;
    const last = items.pop()!;
    if (items.length > 0) {
      items[0] = last;
      this.sink();
    }
    return value;
  }

  remove(which: (value: T) => boolean): void {
    const kept = this.items.filter(({ value }) => !which(value));
    this.items.length = 0;
    for (const { key, value } of kept) this.push(key, value);
  }

  private sink(): void {
    const { items } = this;
    const key = (i: number): number => items.at(i)?.key ?? Infinity;
    for (let at = 0; ;) {
      const child = key(2 * at + 1) <= key(2 * at + 2) ? 2 * at + 1 : 2 * at + 2;
      if (key(child) >= items[at].key) return;
      at = this.swap(at, child);
    }
  }

  private swap(one: number, other: number): number {
    const { items } = this;
    [items[one], items[other]] = [items[other], items[one]];
    return other;
  }
}
