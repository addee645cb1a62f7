/** The weights of a model with fewer experts: the kept experts under their new numbers, and the router's rows for them. */
import { createHash } from 'node:crypto';
import type { Architecture } from '../checkpoint/architecture';
import { digestOfExperts, type KeptExperts, withKeptExperts } from '../checkpoint/kept-experts';
import { ofExpert } from '../checkpoint/kinds/experts';
import type { BlockWeightName, WeightKey } from '../checkpoint/weight-key';
import type { Dtype } from '../formats/dtype';
import { requireRows, type Rows, type TensorInfo } from '../formats/tensor';
import type { Graph, Value } from '../onnx/graph';
import { takeRows } from '../onnx/ops/shapes';
import { Over } from './over';
import { readWide, rowWidth, typeInCheckpoint, type WeightSource } from './source';

export class FewerExperts extends Over {
  private readonly own: Architecture;
  private readonly digest: string;

  /**
   * @param source the model with all its experts; closing this source closes it
   * @throws Error for experts of another model
   */
  constructor(
    source: WeightSource,
    private readonly kept: KeptExperts,
  ) {
    super(source);
    this.own = withKeptExperts(source.architecture, kept);
    this.digest = createHash('sha256')
      .update(`coppice fewer experts 1\n${source.identity}\n${digestOfExperts(kept)}`)
      .digest('hex');
  }

  override get architecture(): Architecture {
    return this.own;
  }

  override get identity(): string {
    return this.digest;
  }

  get revision(): string | undefined {
    return this.source.revision;
  }

  override shape(key: WeightKey): readonly number[] {
    const rows = this.rowsOf(key);
    const shape = this.source.shape(this.before(key));
    return rows ? [rows.length, ...shape.slice(1)] : shape;
  }

  override bind(g: Graph, key: WeightKey, rows?: Rows | Value): Value {
    const own = this.rowsOf(key);
    if (!own) return this.source.bind(g, this.before(key), rows);
    if (rows && 'name' in rows) return this.source.bind(g, key, takeRows(g, g.indices(own), rows));
    return this.source.bind(g, key, g.indices(some(own, rows)));
  }

  override async read(key: WeightKey, rows?: Rows): Promise<Float32Array> {
    const own = this.rowsOf(key);
    if (!own) return this.source.read(this.before(key), rows);
    const wanted = some(own, rows);
    const width = rowWidth(this.source.shape(key));
    const all = await this.source.read(key);
    const values = new Float32Array(wanted.length * width);
    wanted.forEach((row, i) => values.set(all.subarray(row * width, (row + 1) * width), i * width));
    return values;
  }

  override async readWide(key: WeightKey, rows?: Rows): Promise<Float64Array> {
    return this.rowsOf(key)
      ? Float64Array.from(await this.read(key, rows))
      : readWide(this.source, this.before(key), rows);
  }

  override stored(key: WeightKey): TensorInfo | undefined {
    return this.rowsOf(key) ? undefined : this.source.stored(this.before(key));
  }

  override storedType(key: WeightKey): Dtype | undefined {
    return typeInCheckpoint(this.source, this.before(key));
  }

  /** The kept rows of a router, or of its bias; undefined for other weights. */
  private rowsOf(key: WeightKey): readonly number[] | undefined {
    return typeof key !== 'string' && (key.name === 'router' || key.name === 'routerBias')
      ? this.kept.get(key.layer)
      : undefined;
  }

  /** The key of the same weight in the model with all its experts. */
  private before(key: WeightKey): WeightKey {
    if (typeof key === 'string') return key;
    const of = ofExpert(key.name);
    const kept = this.kept.get(key.layer);
    if (!of || !kept) return key;
    return { layer: key.layer, name: `experts.${kept[of.expert]}.${of.rest}` as BlockWeightName };
  }
}

function some(rows: readonly number[], part: Rows | undefined): readonly number[] {
  if (!part) return rows;
  requireRows(part, rows.length);
  return rows.slice(part.start, part.start + part.count);
}
