/** Runs an exported ONNX model: what a program around onnxruntime does, with a cache and a batch of rows. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from '../../src/engine/checkpoint/architecture';
import { withLayers } from '../../src/engine/checkpoint/architecture';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { attentionOf } from '../../src/engine/checkpoint/kinds/parts';
import {
  float16,
  float32,
  floats,
  int64,
  openSession,
  type Provider,
  type Session,
  type Tensor,
} from '../../src/engine/onnx/session';
import { withWeights } from '../../src/engine/weights/checkpoint';
import { cacheWidth } from '../../src/engine/write/onnx/graph';
import { ONNX_FILES, type OnnxKind, type OnnxTarget } from '../../src/engine/write/onnx/kinds';
import { type OnnxOptions, type OnnxWritten, writeOnnx } from '../../src/engine/write/onnx/write-onnx';
import { temporaryFolder } from './temporary';

type Some = Partial<OnnxOptions>;

/** Writes a checkpoint's model with nothing beside it. */
export function exported(checkpoint: Checkpoint, options: Some = {}, out?: string): Promise<OnnxWritten> {
  const folder = out ?? join(temporaryFolder(), 'model');
  const rest = { kinds: ['fp32'] as const, beside: () => Promise.resolve([]), ...options };
  return withWeights(checkpoint, (weights) => writeOnnx(checkpoint, weights, folder, rest));
}

/** Pads rows of tokens to one length. */
export type Side = 'left' | 'right';

/** A session over a written model with its caches. */
export class ExportedModel {
  private caches: Record<string, Tensor> = {};
  private mask: number[][] = [];

  private constructor(
    private readonly session: Session,
    private readonly architecture: Architecture,
    private readonly target: OnnxTarget,
    private readonly kind: OnnxKind,
  ) {}

  static async open(
    checkpoint: Checkpoint,
    folder: string,
    {
      kind = 'fp32',
      target = 'cpu',
      kept,
      provider = 'cpu',
    }: {
      readonly kind?: OnnxKind;
      readonly target?: OnnxTarget;
      readonly kept?: readonly number[];
      readonly provider?: Provider;
    } = {},
  ): Promise<ExportedModel> {
    const models = join(folder, 'onnx');
    const bytes = readFileSync(join(models, ONNX_FILES[kind]));
    const session = await openSession({ bytes, folder: models }, { provider, threads: 1, prepack: true });
    const whole = checkpoint.architecture!;
    return new ExportedModel(session, kept ? withLayers(whole, kept) : whole, target, kind);
  }

  /**
   * Starts texts over.
   * @returns the logits of every token of each row, padding left out: [row][position] is (vocabulary)
   */
  async begin(rows: readonly (readonly number[])[], side: Side = 'right'): Promise<Float32Array[][]> {
    const length = Math.max(...rows.map((row) => row.length));
    const pad = (row: readonly number[], value: number, of: (id: number) => number): number[] => {
      const padding = Array<number>(length - row.length).fill(value);
      return side === 'left' ? [...padding, ...row.map(of)] : [...row.map(of), ...padding];
    };
    this.mask = rows.map((row) => pad(row, 0, () => 1));
    this.caches = {};
    this.architecture.layers.forEach((layer, i) => {
      if (layer.mixer.kind === 'convolution') {
        const { channels, kernel } = layer.mixer;
        const extents = [rows.length, kernel - 1, channels];
        const size = extents.reduce((a, b) => a * b);
        this.caches[`past_conv.${i}`] = float32(new Float32Array(size), extents);
        return;
      }
      const attention = attentionOf(layer);
      const shape = [rows.length, attention.kvHeads, 0, cacheWidth(attention, this.target)];
      for (const name of ['key', 'value']) this.caches[`past_key_values.${i}.${name}`] = this.emptyCache(shape);
    });
    const ids = rows.map((row) => pad(row, 0, (id) => id));
    const logits = await this.run(ids);
    return logits.map((row, r) => row.filter((_, position) => this.mask[r][position] === 1));
  }

  /** Appends one token to each row. @returns the logits of what follows, (vocabulary) for each row */
  async append(ids: readonly number[]): Promise<Float32Array[]> {
    this.mask.forEach((row) => row.push(1));
    return (await this.run(ids.map((id) => [id]))).map(([row]) => row);
  }

  /** Continues a prompt greedily. */
  async greedy(prompt: readonly number[], count: number): Promise<number[]> {
    const [prefill] = await this.begin([prompt]);
    const ids = [best(prefill.at(-1)!)];
    while (ids.length < count) ids.push(best((await this.append([ids.at(-1)!]))[0]));
    return ids;
  }

  close(): Promise<void> {
    return this.session.close();
  }

  private emptyCache(shape: readonly number[]): Tensor {
    return this.kind === 'fp16' ? float16(new Uint16Array(0), shape) : float32(new Float32Array(0), shape);
  }

  private async run(ids: readonly (readonly number[])[]): Promise<Float32Array[][]> {
    const [rows, length] = [ids.length, ids[0].length];
    const results = await this.session.run({
      input_ids: int64(ids.flat(), [rows, length]),
      attention_mask: int64(this.mask.flat(), [rows, this.mask[0].length]),
      ...this.caches,
    });
    const { logits, ...present } = results;
    for (const [name, value] of Object.entries(present)) {
      this.caches[name.replace('present.', 'past_key_values.').replace('present_', 'past_')] = value;
    }
    const { vocabulary } = this.architecture;
    const all = floats(logits);
    return ids.map((_, r) =>
      Array.from({ length }, (__, i) => {
        const at = (r * length + i) * vocabulary;
        return all.slice(at, at + vocabulary);
      }),
    );
  }
}

/** The most likely token. */
export const best = (logits: Float32Array): number => logits.indexOf(Math.max(...logits));

/** The largest absolute difference. */
export function worst(actual: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  let most = actual.length === expected.length ? 0 : Infinity;
  actual.forEach((row, i) => {
    for (let j = 0; j < row.length; j++) most = Math.max(most, Math.abs(row[j] - expected[i][j]));
    if (Array.from(row).some(Number.isNaN)) most = Infinity;
  });
  return most;
}
