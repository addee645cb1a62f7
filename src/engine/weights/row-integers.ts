/**
 * The integers of a screen's weights, made when a session opens: in a graph of their own, some rows at a time. onnxruntime could make
 * them as constants of the session's graph too, but on one core only, and with a copy of the whole weight for each step.
 */
import type { WeightKey } from '../checkpoint/weight-key';
import type { Rows } from '../formats/tensor';
import { Graph } from '../onnx/graph';
import type { GraphFile } from '../onnx/model-file';
import { quantizeWeight, type WeightLevels } from '../onnx/ops/quantized';
import { spread } from '../onnx/ops/spread';
import { float32, int8, openSession, type Session } from '../onnx/session';
import type { WeightSource } from './source';

/**
 * Neighbours that a screen mixes (`spread`). On SmolLM2, 64 take 6 % longer for the sweep, and its errors are the same in the median
 * and larger at worst.
 */
export const MIXED = 32;

/** Numbers that are rounded at a time: a few of such pieces stay in the cache of a core. */
const PIECE = 2 ** 20;

/** Rounds weights. It opens a session for each width, and keeps it until it is closed. */
export class RowRounder {
  private readonly sessions = new Map<number, Promise<Session>>();

  /**
   * @param levels largest magnitude of a rounded weight
   * @param threads onnxruntime's own choice when undefined
   */
  constructor(
    readonly levels: WeightLevels,
    private readonly threads?: number,
  ) {}

  /**
   * Reads and rounds a Linear's weight whose inputs are spread over `MIXED`, or some rows of it.
   * @param values (in, out), filled with the integers
   * @param rows all when undefined
   * @returns the scales, (out); that of a row with an infinity is infinite
   * @throws UserError when a file cannot be read or memory is short
   */
  async round(source: WeightSource, key: WeightKey, values: Int8Array, rows?: Rows): Promise<Float32Array> {
    const [all, width] = source.shape(key);
    const { start, count } = rows ?? { start: 0, count: all };
    const session = await this.session(width);
    const scales = new Float32Array(count);
    const most = Math.min(count, Math.max(1, Math.floor(PIECE / width)));
    const room = new Int8Array(width * most);
    for (let done = 0; done < count; done += most) {
      const some = Math.min(most, count - done);
      const numbers = await source.read(key, { start: start + done, count: some });
      const piece = room.subarray(0, width * some);
      const fetches = {
        values: int8(piece, [width, some]),
        scales: float32(scales.subarray(done, done + some), [some]),
      };
      await session.run({ weight: float32(numbers, [some, width]) }, fetches);
      for (let i = 0; i < width; i++) values.set(piece.subarray(i * some, (i + 1) * some), i * count + done);
    }
    return scales;
  }

  /** Frees the sessions. Rounding opens them again. */
  async close(): Promise<void> {
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) await (await session).close();
  }

  private session(width: number): Promise<Session> {
    let session = this.sessions.get(width);
    if (!session) {
      session = openSession(roundingGraph(width, this.levels), { provider: 'cpu', threads: this.threads });
      session.catch(() => this.sessions.delete(width));
      this.sessions.set(width, session);
    }
    return session;
  }
}

/** (rows, width) → `values`, (width, rows), and `scales`, (rows). */
function roundingGraph(width: number, levels: WeightLevels): GraphFile {
  const g = new Graph();
  const { values, scales } = quantizeWeight(g, spread(g, g.input('weight', 'float32', ['rows', width]), MIXED), levels);
  g.output('values', values);
  g.output('scales', scales);
  return g.serialize();
}
