/**
 * What a forecast knows of each token of a text, from one pass of target and draft over it. Both are given the text before the
 * token (teacher forcing): w, the chance that the draft's token is taken, its confidence, and what both distributions have in common.
 */
import { type Question, questionOf, statesBeforeTargets, targetsIn } from '../evaluate/tasks/score';
import { headWork } from '../model/cost';
import { Graph } from '../onnx/graph';
import { float32, floats, type Session } from '../onnx/session';
import { buildLogitsPiece, buildOverlapPiece, headPieceOf } from '../model/forward-graph';
import type { Model } from '../model/model';
import { HEAD_PIECE, type Piece } from '../model/piece';
import { type TargetScores, targetScores } from '../model/target-scores';
import { stepsOf, type View } from '../model/view';
import { computedTokens } from '../model/tree-forward';
import type { Work } from '../progress';
import type { Places } from './forecast';
import type { Rule } from './runtimes';

/** A prompt, and the text that the target wrote for it. */
export interface WrittenText {
  readonly prompt: readonly number[];
  readonly ids: readonly number[];
}

/** A model that is open, and the blocks of it that are used. */
export interface Opened {
  readonly model: Model;
  readonly view: View;
}

/** What one model makes of texts. */
export interface Reading extends Opened {
  readonly scores: TargetScores;
  /** Last hidden states before each token, (tokens, hidden). */
  readonly states: Float32Array;
}

/** Places per run of two heads: their logits are held at once. */
const PLACES_PER_RUN = 320;

const bundlesOf = (texts: readonly WrittenText[], { model }: Opened): Question[][] =>
  texts.map(({ prompt, ids }) => [
    questionOf([{ fed: [...prompt, ...ids.slice(0, -1)], targets: ids }], model.architecture),
  ]);

/** Work of `readTexts`, in applications of a block to a token. */
export function readingWork(texts: readonly WrittenText[], opened: Opened): number {
  const bundles = bundlesOf(texts, opened);
  const tokens = bundles.reduce((sum, bundle) => sum + computedTokens(bundle.map(({ tree }) => tree)), 0);
  return tokens * stepsOf(opened.view).length + tokensOf(texts) * headWork(opened.model.architecture);
}

export const tokensOf = (texts: readonly WrittenText[]): number => texts.reduce((sum, { ids }) => sum + ids.length, 0);

/** Texts that go through a model together: the masks of a row grow with its square. */
const TOKENS_AT_ONCE = 8192;

/**
 * One pass of a model over texts.
 * @param temperature divides all logits
 * @param work advanced by `readingWork`
 * @throws CancelledError
 */
export async function readTexts(
  opened: Opened,
  texts: readonly WrittenText[],
  temperature: number,
  work: Work,
): Promise<Reading> {
  const { model, view } = opened;
  const { hidden } = model.architecture;
  const states = new Float32Array(tokensOf(texts) * hidden);
  let at = 0;
  for (const some of inGroups(texts)) {
    const part = await statesBeforeTargets(model, view, bundlesOf(some, opened), work);
    states.set(part, at);
    at += part.length;
  }
  work.step('probabilities');
  const scores = await targetScores(model, states, targetsIn(bundlesOf(texts, opened)), work, temperature);
  return { model, view, scores, states };
}

function inGroups(texts: readonly WrittenText[]): WrittenText[][] {
  const groups: WrittenText[][] = [];
  let tokens = Infinity;
  for (const text of texts) {
    const own = text.prompt.length + text.ids.length;
    if (tokens + own > TOKENS_AT_ONCE) {
      groups.push([]);
      tokens = 0;
    }
    groups.at(-1)!.push(text);
    tokens += own;
  }
  return groups;
}

/** The chance that the draft's token is taken in each place, given that the text is what it is. */
export function takenChances(rule: Rule, target: TargetScores, draft: TargetScores): Float64Array {
  if (rule !== 'rejection') return Float64Array.from(draft.isTop);
  return draft.logProbabilities.map((own, t) => Math.min(1, Math.exp(own - target.logProbabilities[t])));
}

/** One entry a text. */
export function placesOf(
  texts: readonly WrittenText[],
  rule: Rule,
  target: TargetScores,
  draft: TargetScores,
): Places[] {
  const taken = takenChances(rule, target, draft);
  let at = 0;
  return texts.map(({ ids }) => {
    const [from, to] = [at, (at += ids.length)];
    return { taken: taken.subarray(from, to), confidence: draft.confidence.subarray(from, to) };
  });
}

/**
 * Σ min(p, q) in every place: the mean chance that a drawn token of one would be taken by the other.
 * @returns one number a place
 * @throws CancelledError
 */
export async function overlapOf(target: Reading, draft: Reading, temperature: number): Promise<Float64Array> {
  const { vocabulary } = target.model.architecture;
  const places = target.scores.logSumExp.length;
  const overlap = new Float64Array(places);
  for (let start = 0; start < vocabulary; start += HEAD_PIECE) {
    const piece = { start, size: Math.min(HEAD_PIECE, vocabulary - start) };
    const sessions: Session[] = [];
    try {
      sessions.push(await openPiece(target, piece, (...of) => buildLogitsPiece(...of, temperature)));
      sessions.push(await openPiece(draft, piece, (...of) => buildOverlapPiece(...of, temperature)));
      for (let at = 0; at < places; at += PLACES_PER_RUN) {
        const to = Math.min(places, at + PLACES_PER_RUN);
        const { logits } = await sessions[0].run({ x: statesOf(target, at, to) });
        const found = await sessions[1].run({
          ...{ x: statesOf(draft, at, to), other: logits },
          ...{ ownSum: column(draft, at, to), otherSum: column(target, at, to) },
        });
        floats(found.overlap).forEach((mass, i) => (overlap[at + i] += mass));
      }
    } finally {
      for (const session of sessions) await session.close();
    }
  }
  return overlap;
}

type Build = (
  g: Graph,
  ...of: readonly [Model['architecture'], ReturnType<Graph['input']>, ReturnType<typeof headPieceOf>]
) => void;

function openPiece({ model }: Opened, piece: Piece, build: Build): Promise<Session> {
  const g = new Graph();
  const norm = model.weights.bind(g, 'finalNorm');
  build(g, model.architecture, norm, headPieceOf(g, model.weights, piece));
  return model.openSession(g.serialize(), { prepack: true });
}

const statesOf = ({ model, states }: Reading, from: number, to: number) => {
  const { hidden } = model.architecture;
  return float32(states.subarray(from * hidden, to * hidden), [to - from, hidden]);
};

const column = ({ scores }: Reading, from: number, to: number) =>
  float32(Float32Array.from(scores.logSumExp.subarray(from, to)), [to - from, 1]);
