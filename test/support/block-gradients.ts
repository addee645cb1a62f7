/** A block's gradients, as the engine's training graph gives them and as central differences of the float64 block. */
import assert from 'node:assert/strict';
import { blockWeights, type Weight } from '../../src/engine/checkpoint/weight-names';
import type { Graph } from '../../src/engine/onnx/graph';
import { float32, floats, type Feeds } from '../../src/engine/onnx/session';
import { adapterName } from '../../src/engine/adapter/names';
import { dropoutName, loraBlockParameters } from '../../src/engine/retrain/lora/graph';
import { fullBlockParameters } from '../../src/engine/model/full-graph';
import { linearGroups, type LinearName } from '../../src/engine/checkpoint/architecture';
import { bindFrom } from '../../src/engine/model/binding';
import type { Model } from '../../src/engine/model/model';
import { Positions } from '../../src/engine/model/positions';
import { buildTraining, gradientName, type BlockParameters } from '../../src/engine/model/training-graph';
import type { Step } from '../../src/engine/model/view';
import { referenceBlock, type ReferenceAdapter, type ReferenceModel, type ReferenceTensor } from '../reference/forward';
import { assertGradientClose } from './close';
import { centralDifferences, directionalDerivative, directions, dot } from './differences';
import { normal, uniform } from './random';
import { full } from './shared';

/** What the issue asks of float32 gradients: relative, in L2. */
const TOLERANCE = 1e-4;

/** In how many random directions a gradient is measured. */
const DIRECTIONS = 10;

interface Wide extends ReferenceTensor {
  readonly values: Float64Array;
}

const wide = ({ shape, values }: ReferenceTensor): Wide => ({ shape, values: Float64Array.from(values) });

/** One step over some rows of random states, with random ∂L/∂y. */
export class BlockCase {
  private readonly next = normal(29);
  readonly x: Float64Array;
  private readonly dy: Float64Array;

  constructor(
    private readonly model: Model,
    private readonly reference: ReferenceModel,
    private readonly step: Step,
    private readonly rows: number,
    private readonly length: number,
  ) {
    this.x = this.random(rows * length * model.architecture.hidden, 1);
    this.dy = this.random(this.x.length, 1);
  }

  /** Every parameter of the block, and x. */
  async checkWeights(): Promise<void> {
    const { model, step, reference } = this;
    const { architecture, weights: source } = model;
    const found = await this.run((g) => fullBlockParameters(g, architecture, step.block, bindFrom(g, source)), {});
    const weights = new Map(Object.entries(blockWeights(architecture, step.block)) as [string, Weight][]);
    const tensors = new Map<string, ReferenceTensor>(reference.tensors);
    for (const { name } of weights.values()) tensors.set(name, wide(tensors.get(name)!));
    this.compare('x', found.dx, { ...reference, tensors }, this.x);
    for (const [key, gradient] of Object.entries(found.gradients)) {
      const { values } = tensors.get(weights.get(key)!.name) as Wide;
      this.compare(key, gradient, { ...reference, tensors }, values);
    }
  }

  /** Every matrix of a LoRA adapter whose inputs are masked, and x. */
  async checkAdapters(targets: readonly LinearName[]): Promise<void> {
    const { model, step } = this;
    const { architecture, weights: source } = model;
    const shape = { rank: 3, alpha: 5, targets, dropout: true };
    const weights = blockWeights(architecture, step.block);
    const feeds: Record<string, Feeds[string]> = {};
    const matrices = new Map<string, Wide>();
    const adapters = new Map<string, ReferenceAdapter>();
    for (const group of linearGroups(architecture.layers[step.block])) {
      const width = weights[group[0]]!.shape[1];
      const mask = this.dropout(width);
      if (group.some((name) => targets.includes(name))) {
        feeds[dropoutName(group)] = float32(Float32Array.from(mask), [this.rows * this.length, width]);
      }
      for (const name of group.filter((n) => targets.includes(n))) {
        const [a, b] = [this.matrix(shape.rank, width), this.matrix(weights[name]!.shape[0], shape.rank)];
        for (const [key, m] of [
          [adapterName(name, 'A'), a],
          [adapterName(name, 'B'), b],
        ] as const) {
          matrices.set(key, m);
          feeds[key] = float32(Float32Array.from(m.values), m.shape);
        }
        const factor = shape.alpha / shape.rank;
        adapters.set(weights[name]!.name.replace(/\.weight$/, ''), { a, b, factor, mask: this.positions(mask, width) });
      }
    }
    const declare = (g: Graph): BlockParameters => loraBlockParameters(g, architecture, step.block, source, shape);
    const found = await this.run(declare, feeds);
    const adapted = { ...this.reference, adapters };
    this.compare('x', found.dx, adapted, this.x);
    for (const [key, gradient] of Object.entries(found.gradients)) {
      this.compare(key, gradient, adapted, matrices.get(key)!.values);
    }
  }

  private async run(
    declare: (g: Graph) => BlockParameters,
    more: Feeds,
  ): Promise<{ dx: Float32Array; gradients: Record<string, Float32Array> }> {
    const { model, step } = this;
    const graphs = buildTraining(model.architecture, step, declare);
    const shape = [this.rows * this.length, model.architecture.hidden];
    const positions = step.attention ? new Positions(model.architecture, this.length).plain(step.block) : {};
    const [x, dy] = [this.x, this.dy].map((data) => float32(Float32Array.from(data), shape));
    const session = await model.openSession(graphs.recomputing());
    try {
      const results = await session.run({ ...positions, ...more, x, dy });
      const gradients = graphs.parameters.map((key) => [key, floats(results[gradientName(key)])] as const);
      return { dx: floats(results.dx), gradients: Object.fromEntries(gradients) };
    } finally {
      await session.close();
    }
  }

  /** Along some random directions over all numbers; one by one in test:full. */
  private compare(what: string, actual: Float32Array, reference: ReferenceModel, moved: Float64Array): void {
    const loss = (): number => this.loss(reference);
    if (full) {
      assertGradientClose(actual, centralDifferences(loss, moved), TOLERANCE, what);
      return;
    }
    assert.equal(actual.length, moved.length, `${what}: length`);
    const along = directions(moved.length, DIRECTIONS, normal(moved.length));
    const found = along.map((direction) => dot(actual, direction));
    const measured = along.map((direction) => directionalDerivative(loss, moved, direction));
    assertGradientClose(found, measured, TOLERANCE, what);
  }

  /** Σ dy ⊙ y, row by row. A mask of dropout is laid out as x is, so the position counts through all rows. */
  private loss(reference: ReferenceModel): number {
    const { hidden } = this.model.architecture;
    let sum = 0;
    for (let row = 0; row < this.rows; row++) {
      const at = (t: number): number => (row * this.length + t) * hidden;
      const x = Array.from({ length: this.length }, (_, t) => this.x.subarray(at(t), at(t + 1)));
      const adapters = new Map(
        [...(reference.adapters ?? [])].map(([name, adapter]) => {
          const mask = adapter.mask?.slice(row * this.length, (row + 1) * this.length);
          return [name, { ...adapter, mask }] as const;
        }),
      );
      const y = referenceBlock({ ...reference, adapters }, this.step.block, x, this.step);
      y.forEach((v, t) => (sum += dot(this.dy.subarray(at(t), at(t + 1)), v)));
    }
    return sum;
  }

  private dropout(width: number): Float64Array {
    const next = uniform(width);
    return Float64Array.from({ length: this.rows * this.length * width }, () => (next() < 0.25 ? 0 : 4 / 3));
  }

  private positions(mask: Float64Array, width: number): Float64Array[] {
    return Array.from({ length: mask.length / width }, (_, t) => mask.subarray(t * width, (t + 1) * width));
  }

  private matrix(rows: number, columns: number): Wide {
    return { shape: [rows, columns], values: this.random(rows * columns, 0.4) };
  }

  private random(count: number, deviation: number): Float64Array {
    return Float64Array.from({ length: count }, () => Math.fround(deviation * this.next()));
  }
}
