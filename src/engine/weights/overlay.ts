/**
 * A source with changes to single weights: an adapter on a model, a merge before it is written, new numbers for some
 * weights. Weights without a patch come from the underlying source.
 */
import { createHash } from 'node:crypto';
import type { Architecture } from '../checkpoint/architecture';
import { canonicalKey, keyText, type WeightKey } from '../checkpoint/weight-key';
import type { Rows, TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import {
  bindPatched,
  bytesOfPatch,
  type KeyedPatch,
  type Patch,
  readPatched,
  requireFit,
  shapeOfPatch,
} from './patches';
import { type LowRankSum, originOf, type WeightSource, wholeOrigin } from './source';

export class Overlay implements WeightSource {
  readonly bytesInGraph: number;
  private readonly patches = new Map<string, Patch>();
  private ownIdentity: string | undefined;

  /**
   * @param source the underlying source; closing the overlay closes it
   * @param patches of weights of the source, at most one per weight
   * @param architecture of the patched model, if patches change shapes
   */
  constructor(
    private readonly source: WeightSource,
    patches: Iterable<KeyedPatch>,
    readonly architecture: Architecture = source.architecture,
  ) {
    let bytes = 0;
    for (const [key, patch] of patches) {
      const text = this.textOf(key);
      if (this.patches.has(text)) throw new Error(`two patches of ${text}`);
      requireFit(patch, source, key);
      this.patches.set(text, patch);
      bytes += bytesOfPatch(patch);
    }
    this.bytesInGraph = source.bytesInGraph + bytes;
  }

  /** Hash of the source's identity and every number in the patches. */
  get identity(): string {
    return (this.ownIdentity ??= identify(this.source.identity, this.patches));
  }

  get revision(): string | undefined {
    return this.source.revision;
  }

  shape(key: WeightKey): readonly number[] {
    const patch = this.patch(key);
    return patch ? shapeOfPatch(patch, this.source, key) : this.source.shape(key);
  }

  bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const patch = this.patch(key);
    return patch ? bindPatched(patch, this.source, g, key, rows) : this.source.bind(g, key, rows);
  }

  async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    const patch = this.patch(key);
    return patch ? Float32Array.from(await readPatched(patch, this.source, key, rows)) : this.source.read(key, rows);
  }

  async readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    const patch = this.patch(key);
    if (patch) return readPatched(patch, this.source, key, rows);
    return this.source.readWide?.(key, rows) ?? new Float64Array(await this.source.read(key, rows));
  }

  stored(key: WeightKey): TensorInfo | undefined {
    return this.patch(key) ? undefined : this.source.stored(key);
  }

  lowRank(key: WeightKey): LowRankSum | undefined {
    const patch = this.patch(key);
    if (!patch) return this.source.lowRank?.(key);
    return patch.kind === 'add' ? { base: this.source, product: patch.product } : undefined;
  }

  origin(key: WeightKey): WeightSource {
    const kind = this.patch(key)?.kind;
    if (kind === undefined) return originOf(this.source, key);
    return kind === 'add' ? wholeOrigin(this.source, key) : this;
  }

  close(): Promise<void> {
    return this.source.close();
  }

  private patch(key: WeightKey): Patch | undefined {
    return this.patches.get(this.textOf(key));
  }

  private textOf(key: WeightKey): string {
    return keyText(canonicalKey(this.architecture, key));
  }
}

/** The source under changes, each list on top of the one before. Closing the result closes the source. */
export const withChanges = (source: WeightSource, changes: Iterable<Iterable<KeyedPatch>>): WeightSource => {
  let changed = source;
  for (const patches of changes) changed = new Overlay(changed, patches);
  return changed;
};

/** SHA-256 (hex). */
function identify(source: string, patches: ReadonlyMap<string, Patch>): string {
  const hash = createHash('sha256').update(`coppice overlay 1\n${source}`);
  const add = (values: Float32Array): void => {
    hash.update(`\n${values.length}\n`).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  };
  for (const [key, patch] of [...patches].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\n${key} ${patch.kind}`);
    if (patch.kind === 'replace') {
      hash.update(` ${JSON.stringify(patch.shape ?? null)}`);
      add(patch.values);
    } else if (patch.kind === 'stored') {
      hash.update(` ${patch.sha256}`);
    } else {
      hash.update(` ${patch.product.rank} ${patch.product.factor}`);
      add(patch.product.a);
      add(patch.product.b);
    }
  }
  return hash.digest('hex');
}
