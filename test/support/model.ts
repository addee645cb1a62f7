/** Models for the length of a test, and a look at what they do with onnxruntime. */
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import { Decoder } from '../../src/engine/model/decoder';
import { openModel, type Model, type ModelOptions } from '../../src/engine/model/model';
import { fullView, type View } from '../../src/engine/model/view';

/** Opens the checkpoint at `path` on the CPU, and closes it whatever happens. */
export async function withModel<T>(
  path: string,
  use: (model: Model) => Promise<T>,
  options: ModelOptions = {},
): Promise<T> {
  const model = await openModel(await openCheckpoint(path), { device: 'cpu', ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** A model that is open for the tests of a `describe`. */
export function describedModel(path: () => string): () => Model {
  let model: Model;
  before(async () => {
    model = await openModel(await openCheckpoint(path()), { device: 'cpu' });
  });
  after(() => model.close());
  return () => model;
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

/** Counts a model's sessions and runs from now on. */
export function watchSessions(model: Model): { open: number; opened: number; runs: number } {
  const counts = { open: 0, opened: 0, runs: 0 };
  const openSession = model.openSession.bind(model);
  model.openSession = async (...settings) => {
    const session = await openSession(...settings);
    counts.open++;
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
