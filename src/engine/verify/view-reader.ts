/** A view of an open model, as a verification reads it. The head is in pieces, so its weights are never whole in memory. */
import { generate } from '../evaluate/generate';
import { headWork } from '../model/cost';
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
import { type JobOptions, Work } from '../progress';
import { inWords, type ModelReader } from './reader';

/** @param name of the model, for the progress */
export const viewReader = (model: Model, view: View, name: string): ModelReader => ({
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
    const writing = { maxNewTokens: count, greedy: true, ignoreEos: true, view };
    return [...(await generate(model, prompt, writing, inWords(job, name, count))).ids];
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
