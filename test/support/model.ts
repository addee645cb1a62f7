/** Models for the length of a test, and a look at what they do with onnxruntime. */
import { LINEAR_NAMES } from '../../src/engine/adapter/names';
import type { LayerShape } from '../../src/engine/checkpoint/architecture';
import { readConfigFile } from '../../src/engine/checkpoint/config-file';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import { plainLayer } from '../../src/engine/checkpoint/kinds/plain';
import { Decoder } from '../../src/engine/model/decoder';
import { Forward, type TokenRows } from '../../src/engine/model/forward';
import { buildTeacherPiece, headPieceOf } from '../../src/engine/model/forward-graph';
import { openModel, type Model, type ModelOptions } from '../../src/engine/model/model';
import { Graph } from '../../src/engine/onnx/graph';
import { float32, floats } from '../../src/engine/onnx/session';
import { releaseState, type State } from '../../src/engine/model/states';
import { fullView, stepsOf, type View } from '../../src/engine/model/view';
import { inSpreadRowInt8, SpreadRowInt8 } from '../../src/engine/weights/row-int8';
import { RowRounder } from '../../src/engine/weights/row-integers';
import type { Screening } from '../../src/engine/importance/screened-sweep';
import type { ToyLayer } from './tiny-tensors';

/** Opens a checkpoint. The shapes of a ragged toy's blocks are those that its `toy_layers` list. */
export async function openToy(path: string): Promise<Checkpoint> {
  const config = (await readConfigFile(path).catch(() => undefined))?.value;
  const listed = config?.toy_layers as readonly ToyLayer[] | undefined;
  return openCheckpoint(path, undefined, listed?.map(layerShape));
}

function layerShape(layer: ToyLayer): LayerShape {
  const rope = layer.rope_theta === null ? null : ({ theta: layer.rope_theta, scaling: { kind: 'default' } } as const);
  return plainLayer({
    heads: layer.num_attention_heads,
    kvHeads: layer.num_key_value_heads,
    headDim: layer.head_dim,
    ffn: layer.intermediate_size,
    window: layer.sliding_window,
    rope,
    biases: LINEAR_NAMES.filter((name) => layer.bias.includes(name)),
    qkNorm: layer.qk_norm ? 'head' : null,
    fused: false,
  });
}

/** One thread for a narrow model, where a second would mostly wait; onnxruntime's own choice for a real one. */
function threadsFor({ architecture }: Checkpoint): number | undefined {
  return architecture !== undefined && architecture.hidden < 256 ? 1 : undefined;
}

/** Opens the checkpoint at `path` on the CPU, and closes it whatever happens. */
export async function withModel<T>(
  path: string,
  use: (model: Model) => Promise<T>,
  options: ModelOptions = {},
): Promise<T> {
  return withModelOf(await openToy(path), use, options);
}

/** Opens an open checkpoint's model on the CPU, and closes it whatever happens. */
export async function withModelOf<T>(
  checkpoint: Checkpoint,
  use: (model: Model) => Promise<T>,
  options: ModelOptions = {},
): Promise<T> {
  const model = await openModel(checkpoint, { device: 'cpu', threads: threadsFor(checkpoint), ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** Passes a screen of the model in int8, which leaves a third of the parts to float32. */
export async function withScreen<T>(model: Model, use: (screening: Screening) => Promise<T>): Promise<T> {
  const rounded = model.beside(
    (await inSpreadRowInt8(model.weights, model.threads)) ?? new SpreadRowInt8(model.weights, new RowRounder(63)),
  );
  try {
    return await use({ model: rounded });
  } finally {
    await rounded.close();
  }
}

/** A model that is open for the tests of a `describe`, if any of them runs: mocha calls hooks where all are skipped too. */
export function describedModel(path: () => string): () => Model {
  let model: Model | undefined;
  before(async function () {
    if (!hasTests(this.test!.parent!)) return;
    const checkpoint = await openToy(path());
    model = await openModel(checkpoint, { device: 'cpu', threads: threadsFor(checkpoint) });
  });
  after(() => model?.close());
  return () => model!;
}

/** Whether a test of the suite or of one inside it runs. */
const hasTests = ({ tests, suites }: Mocha.Suite): boolean =>
  tests.some((test) => !test.isPending()) || suites.some(hasTests);

/** Last hidden states of a view, in this process's memory. */
export async function lastState(model: Model, rows: TokenRows, view: View): Promise<State> {
  const forward = new Forward(model, rows[0].length);
  let state: State = await forward.embed(rows);
  for (const step of stepsOf(view)) {
    const open = await forward.open(step, true);
    try {
      const next = [];
      for (const chunk of state) next.push(await open.run(chunk));
      releaseState(state);
      state = next;
    } finally {
      await open.close();
    }
  }
  return state;
}

/**
 * Logits at some positions of a row that is read as a whole, as they are where angles depend on its length.
 * @returns (positions, vocabulary)
 */
export async function wholeLogits(
  model: Model,
  ids: readonly number[],
  positions: readonly number[],
): Promise<Float32Array[]> {
  const { architecture, weights } = model;
  const { hidden, vocabulary } = architecture;
  const [{ data }] = await lastState(model, [ids], fullView(architecture.layers.length));
  const g = new Graph();
  const head = headPieceOf(g, weights, { start: 0, size: vocabulary });
  buildTeacherPiece(g, architecture, weights.bind(g, 'finalNorm'), head);
  const session = await model.openSession(g.serialize());
  try {
    const logits = floats((await session.run({ x: float32(data, [ids.length, hidden]) })).logits);
    return positions.map((position) => logits.slice(position * vocabulary, (position + 1) * vocabulary));
  } finally {
    await session.close();
  }
}

/**
 * Logits of what follows after each piece of a text, through the cached decoder.
 * @returns (pieces, vocabulary)
 */
export async function decodedLogits(
  model: Model,
  pieces: readonly (readonly number[])[],
  view: View = fullView(model.architecture.layers.length),
): Promise<Float32Array[]> {
  const decoder = await Decoder.open(
    model,
    view,
    pieces.reduce((sum, piece) => sum + piece.length, 0),
  );
  try {
    const logits: Float32Array[] = [];
    for (const piece of pieces) logits.push(Float32Array.from(await decoder.append(piece)));
    return logits;
  } finally {
    await decoder.close();
  }
}

/** Counts a model's sessions, the most that were open at a time, and runs from now on. */
export function watchSessions(model: Model): { open: number; most: number; opened: number; runs: number } {
  const counts = { open: 0, most: 0, opened: 0, runs: 0 };
  const openSession = model.openSession.bind(model);
  model.openSession = async (...settings) => {
    const session = await openSession(...settings);
    counts.open++;
    counts.most = Math.max(counts.most, counts.open);
    counts.opened++;
    const run = session.run.bind(session);
    session.run = (...feeds) => {
      counts.runs++;
      return run(...feeds);
    };
    const close = session.close.bind(session);
    session.close = () => {
      counts.open--;
      return close();
    };
    return session;
  };
  return counts;
}
