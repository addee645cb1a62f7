/**
 * A view of an open model, as a verification reads it. Where the model has room, sessions over all of it are opened once and give
 * the logits and the continuation, so each weight is read and decoded once. Elsewhere one block after the other is opened
 * for each of them, and the head is in pieces, so its weights are never whole in memory.
 */
import { throwIfCancelled } from '../errors';
import { headWork } from '../model/cost';
import { Decoder } from '../model/decoder';
import { Forward } from '../model/forward';
import { buildTeacherPiece, headPieceOf } from '../model/forward-graph';
import type { Model } from '../model/model';
import { HEAD_PIECE } from '../model/piece';
import { releaseState, type State } from '../model/states';
import { sharedApplications } from '../model/shared-applications';
import { statesOfViews } from '../model/view-states';
import type { View } from '../model/view';
import { Graph } from '../onnx/graph';
import { floats } from '../onnx/session';
import { announce, type JobOptions, Work } from '../progress';
import { type Continued, continueGreedily, inWords, type ModelReader } from './reader';

/**
 * Passes a reader to `use`, and closes what it holds open.
 * @param name of the model, for the progress
 * @param longest tokens of the longest text that is read
 */
export async function withViewReader<T>(
  model: Model,
  view: View,
  { name, longest, job }: { readonly name: string; readonly longest: number; readonly job: JobOptions },
  use: (reader: ModelReader) => Promise<T>,
): Promise<T> {
  // Sessions on a device read a text in short runs, and only the last run tells its logits.
  if (model.device.provider !== 'cpu') return use(blockReader(model, view, name));
  announce(job, `opening ${name}`);
  const decoder = await Decoder.open(model, view, longest);
  try {
    return await use(decoder.kept ? openReader(decoder, name) : blockReader(model, view, name));
  } finally {
    await decoder.close();
  }
}

/** Everything of one decoder, whose sessions are open. */
const openReader = (decoder: Decoder, name: string): ModelReader => ({
  async logits(rows, job) {
    const work = new Work(job, rows.length, 'rows', `reading ${name}`);
    const all: Float32Array[] = [];
    for (const [i, row] of rows.entries()) {
      work.step(`${name}, row ${i + 1} of ${rows.length}`);
      const logits = await decoder.readAll(row);
      const vocabulary = logits.length / row.length;
      for (let at = 0; at < row.length; at++) all.push(logits.slice(at * vocabulary, (at + 1) * vocabulary));
      work.advance(1);
    }
    return all;
  },
  greedy: (prompt, count, job) => continued(decoder, name, prompt, count, job),
});

async function continued(
  decoder: Decoder,
  name: string,
  prompt: readonly number[],
  count: number,
  job: JobOptions,
): Promise<Continued> {
  const work = new Work(inWords(job, name, count), count, 'tokens', name);
  decoder.restart(1);
  const next = (ids: readonly number[]): Promise<Float32Array> => {
    throwIfCancelled(job.signal);
    return decoder.append(ids, job.signal);
  };
  return continueGreedily(prompt, count, next, () => work.advance(1));
}

/** One block after the other. @param name of the model, for the progress */
export const blockReader = (model: Model, view: View, name: string): ModelReader => ({
  async logits(rows, job) {
    const head = rows.length * headWork(model.architecture);
    const applications = rows.length * sharedApplications([view]);
    const work = new Work(job, applications + head, 'row-blocks', `reading ${name}`);
    const step = (block: number, blocks: number): string => `${name}, block ${block + 1} of ${blocks}`;
    const [state] = await statesOfViews(new Forward(model, rows[0].length), rows, [view], work, step);
    try {
      const tell = (part: number, parts: number, share: number): void => {
        work.step(`${name}, vocabulary, part ${part + 1} of ${parts}`);
        work.advance(share * head);
      };
      return await headLogits(model, state, rows[0].length, tell);
    } finally {
      releaseState(state);
    }
  },
  async greedy(prompt, count, job: JobOptions) {
    const decoder = await Decoder.open(model, view, prompt.length + count);
    try {
      return await continued(decoder, name, prompt, count, job);
    } finally {
      await decoder.close();
    }
  },
});

/** @param length tokens of a row @param tell told of each part of the vocabulary, with its share of the whole */
async function headLogits(
  model: Model,
  state: State,
  length: number,
  tell: (part: number, parts: number, share: number) => void,
): Promise<Float32Array[]> {
  const { architecture, weights } = model;
  const { vocabulary } = architecture;
  const tokens = state.reduce((sum, chunk) => sum + chunk.rows, 0) * length;
  const all = Array.from({ length: tokens }, () => new Float32Array(vocabulary));
  for (let start = 0; start < vocabulary; start += HEAD_PIECE) {
    const size = Math.min(HEAD_PIECE, vocabulary - start);
    const g = new Graph();
    const norm = weights.bind(g, 'finalNorm');
    buildTeacherPiece(g, architecture, norm, headPieceOf(g, weights, { start, size }));
    const session = await model.openSession(g.serialize(), { prepack: true });
    try {
      let at = 0;
      for (const chunk of state) {
        const { logits } = await session.run({ x: chunk.tensor });
        const values = floats(logits);
        for (let i = 0; i < chunk.rows * length; i++, at++) {
          all[at].set(values.subarray(i * size, (i + 1) * size), start);
        }
      }
    } finally {
      await session.close();
    }
    tell(start / HEAD_PIECE, Math.ceil(vocabulary / HEAD_PIECE), size / vocabulary);
  }
  return all;
}
