/**
 * A LoRA adapter (Hu et al. 2021) in memory: for each adapted Linear, A (rank, in) and B (out, rank), which add (α/r) B
 * A to the weight. Its blocks are numbered as in the model without the removed blocks, so an adapter that was trained
 * on a view fits the checkpoint that is pruned to it later.
 */
import { createHash } from 'node:crypto';
import type { LinearName } from '../checkpoint/architecture';
import type { KeyedPatch } from '../weights/patches';
import { adapterName } from './names';

export interface Adapter {
  /** r: rows of every A, columns of every B. */
  readonly rank: number;
  /** α: the added matrix is (α/r) B A. */
  readonly alpha: number;
  /** Dropout of the adapters' inputs in training; it has no other effect. */
  readonly dropout: number;
  /** The adapted Linears, in the order of `adaptableNames`. */
  readonly targets: readonly LinearName[];
  /** Blocks of the checkpoint that the adapted model leaves out, ascending. */
  readonly removed: readonly number[];
  /** Digest of the healed weights that the adapter lies on (weights/patch-note.ts); undefined without any. */
  readonly healed?: string;
  /** By block of the model without `removed`, then by `adapterName`. Blocks without an adapter are absent. */
  readonly matrices: ReadonlyMap<number, Readonly<Record<string, Float32Array>>>;
}

/** The block of the checkpoint with the index `position` after the blocks `removed` (ascending) are removed. */
function blockBeforeRemoval(position: number, removed: readonly number[]): number {
  return removed.reduce((block, gone) => (gone <= block ? block + 1 : block), position);
}

/** The adapter's changes to the weights of the checkpoint: (α/r) B A is added to each adapted Linear. */
export function adapterPatches({ rank, alpha, targets, removed, matrices }: Adapter): KeyedPatch[] {
  const factor = alpha / rank;
  const patches: KeyedPatch[] = [];
  for (const [position, named] of matrices) {
    const layer = blockBeforeRemoval(position, removed);
    for (const name of targets) {
      const { [adapterName(name, 'A')]: a, [adapterName(name, 'B')]: b } = named;
      if (!a || !b) continue;
      const key = { layer, name };
      patches.push([key, { kind: 'add', product: { rank, a, b, factor } }]);
    }
  }
  return patches;
}

/** SHA-256 (hex) of everything that determines the adapter's changes to the remaining blocks. */
export function adapterDigest({ rank, alpha, matrices }: Adapter): string {
  const hash = createHash('sha256').update(JSON.stringify(['coppice adapter 1', rank, alpha]));
  for (const [block, named] of [...matrices].sort(([a], [b]) => a - b)) {
    for (const name of Object.keys(named).sort()) {
      const { buffer, byteOffset, byteLength, length } = named[name];
      hash.update(`\n${block} ${name} ${length}\n`).update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('hex');
}
