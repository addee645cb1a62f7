/**
 * How far models are from a teacher, from the last hidden states of both, with the vocabulary in pieces: the token
 * losses, KL(teacher ‖ model) over the whole vocabulary, and whether both find the same token most likely.
 *
 * With logits z, KL = Σ p (z_teacher − z) − LSE(z_teacher) + LSE(z), where p is the teacher's softmax. The sum is the mean
 * of the same sums over pieces, each weighted with the teacher's probability of the piece. So a graph gives a few numbers
 * for each position and piece, which are combined here in float64, and nothing of the size of the logits is kept. The
 * teacher's logits of a piece and a chunk are computed once for all models.
 */
import type { Architecture } from '../checkpoint/architecture';
import { UserError } from '../errors';
import { Graph, type Value } from '../onnx/graph';
import { floats, integers, keepsTensors, type Session, type Tensor } from '../onnx/session';
import type { Work } from '../progress';
import { headWork } from './cost';
import {
  buildComparedPiece,
  buildDivergencePiece,
  buildTaughtPiece,
  buildTeacherPiece,
  type HeadPiece,
  headPieceOf,
} from './forward-graph';
import type { TokenRows } from './forward';
import { logAddExp, nextTokens, targetsWithin, withTarget } from './head';
import { HEAD_PIECE, type Piece } from './piece';
import type { Lent } from './held-sessions';
import type { Model } from './model';
import type { State } from './states';

/** What models are compared with: the whole model, or another one with the same vocabulary. */
export interface Teacher {
  readonly model: Model;
  /** Its last hidden states, before its final norm. */
  readonly state: State;
}

/** One number for each position that has a target, (rows · (length − 1)). */
export interface Comparison {
  /** −log p of the next token in nats, as of `tokenLosses`. */
  readonly losses: Float64Array;
  /** KL(teacher ‖ model) in nats. By rounding, a divergence of 0 may be slightly negative. */
  readonly divergences: Float64Array;
  /** 1 where both have the same most likely token (of equally likely ones the lowest id), else 0. */
  readonly agree: Uint8Array;
}

/** The same without the most likely tokens. */
export type Divergences = Omit<Comparison, 'agree'>;

/** Cost of comparing `models` models with a teacher, in applications of a block for each row. */
export const comparisonWork = (architecture: Architecture, models: number): number =>
  (1 + models) * headWork(architecture);

/**
 * Compares models that share a final norm and a head with a teacher.
 * @param states last hidden states of the models, over the same rows and in the same chunks as the teacher's
 * @param rows the tokens, (rows, length)
 * @param work advanced by `comparisonWork` for each row
 * @returns one comparison per state
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export async function compareStates(...compared: ComparedStates): Promise<Comparison[]> {
  const { taught, found, length } = await passHead(compared, RANKED);
  return found.map((each) => ({ ...each.divergences(taught, length), agree: each.agree(taught, length) }));
}

/**
 * The same numbers, bit for bit, without the most likely tokens: looking for these takes a sixth of a piece's time in int8, and a
 * thirtieth in float32 (SmolLM2, 128 tokens, one thread).
 * @throws as `compareStates` does
 */
export async function stateDivergences(...compared: ComparedStates): Promise<Divergences[]> {
  const { taught, found, length } = await passHead(compared, UNRANKED);
  return found.map((each) => each.divergences(taught, length));
}

type ComparedStates = [model: Model, teacher: Teacher, states: readonly State[], rows: TokenRows, work: Work];

type BuildPiece = (g: Graph, architecture: Architecture, norm: Value, head: HeadPiece) => unknown;

/** The graphs of a piece. */
interface PairGraphs {
  /** Tells these graphs from others. */
  readonly name: string;
  readonly teacher: BuildPiece;
  readonly model: BuildPiece;
}

const RANKED: PairGraphs = { name: 'ranked', teacher: buildTeacherPiece, model: buildComparedPiece };
const UNRANKED: PairGraphs = { name: 'unranked', teacher: buildTaughtPiece, model: buildDivergencePiece };

/** What is known of the teacher and of each model, after all pieces. */
interface HeadPass {
  readonly taught: Distribution;
  readonly found: readonly Compared[];
  /** Tokens of a row. */
  readonly length: number;
}

async function passHead([model, teacher, states, rows, work]: ComparedStates, graphs: PairGraphs): Promise<HeadPass> {
  const { architecture } = model;
  requireVocabulary(teacher.model, architecture.vocabulary);
  const length = rows[0].length;
  const targets = nextTokens(rows);
  const taught = new Distribution(targets.length);
  const found = states.map(() => new Compared(targets.length));
  for (let start = 0; start < architecture.vocabulary; start += HEAD_PIECE) {
    const piece = { start, size: Math.min(HEAD_PIECE, architecture.vocabulary - start) };
    const perRow = (headWork(architecture) * piece.size) / architecture.vocabulary;
    const pair = await openPair(model, teacher.model, graphs, piece);
    try {
      let at = 0; // token
      for (const [c, chunk] of teacher.state.entries()) {
        const local = targets.slice(at, at + chunk.rows * length);
        const logits = await pair.teacher.run({ x: chunk.tensor });
        const shares = taught.add(logits, at, piece);
        work.advance(chunk.rows * perRow);
        const feeds = {
          target: targetsWithin(piece, local),
          teacher: logits.logits,
          probabilities: logits.probabilities,
        };
        for (const [s, state] of states.entries()) {
          const result = await pair.model.run({ ...feeds, x: state[c].tensor });
          found[s].add(result, at, piece);
          found[s].addComparison(result, at, shares, piece, local);
          work.advance(chunk.rows * perRow);
        }
        for (const tensor of [feeds.teacher, feeds.probabilities]) if (tensor.location !== 'cpu') tensor.dispose();
        at += local.length;
      }
    } finally {
      await pair.close();
    }
  }
  return { taught, found, length };
}

/** @throws UserError when the teacher has another vocabulary */
function requireVocabulary({ architecture, checkpoint }: Model, vocabulary: number): void {
  if (architecture.vocabulary === vocabulary) return;
  throw new UserError(
    `The model cannot be compared with ${checkpoint.path}`,
    `its vocabulary has ${vocabulary} tokens, and that of the other model ${architecture.vocabulary}`,
    'Compare it with the model that was pruned, or with another that has the same tokenizer.',
  );
}

/** The sessions of a piece. */
interface Pair {
  readonly teacher: Session;
  readonly model: Session;
  readonly close: () => Promise<void>;
}

async function openPair(model: Model, teacher: Model, graphs: PairGraphs, piece: Piece): Promise<Pair> {
  const open = async (of: Model, part: 'teacher' | 'model', onDevice?: readonly string[]): Promise<Lent> => {
    const graph = () => {
      const g = new Graph();
      const norm = of.weights.bind(g, 'finalNorm');
      graphs[part](g, of.architecture, norm, headPieceOf(g, of.weights, piece));
      return g.serialize();
    };
    if (!onDevice) return of.stepSession(`${graphs.name} ${part} ${piece.start}`, graph);
    const session = await of.openSession(graph(), { prepack: true, onDevice });
    return { session, close: () => session.close() };
  };
  // Between two models on one device, the logits stay there.
  const stays = teacher.device.provider === model.device.provider && keepsTensors(model.device.provider);
  const first = await open(teacher, 'teacher', stays ? ['logits', 'probabilities'] : undefined);
  try {
    const second = await open(model, 'model');
    const close = async (): Promise<void> => {
      await second.close();
      await first.close();
    };
    return { teacher: first.session, model: second.session, close };
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** For some positions, the parts of a mean over the vocabulary: of the pieces before, and of a piece. */
interface Shares {
  readonly before: Float64Array;
  readonly piece: Float64Array;
}

/** What is known of a model's distribution at every position, (rows · length), as piece after piece is added. */
export class Distribution {
  readonly logSumExp: Float64Array;
  /** The most likely token, and its logit, where the graphs look for it. */
  readonly top: Int32Array;
  readonly topLogit: Float64Array;

  constructor(tokens: number) {
    this.logSumExp = new Float64Array(tokens).fill(-Infinity);
    this.top = new Int32Array(tokens);
    this.topLogit = new Float64Array(tokens).fill(-Infinity);
  }

  /** @returns the probabilities of the pieces before and of this piece, among both */
  add(result: Readonly<Record<string, Tensor>>, at: number, piece: Piece): Shares {
    const logSumExp = floats(result.logSumExp);
    const shares = { before: new Float64Array(logSumExp.length), piece: new Float64Array(logSumExp.length) };
    for (let i = 0, t = at; i < logSumExp.length; i++, t++) {
      const sum = logAddExp(this.logSumExp[t], logSumExp[i]);
      shares.before[i] = Math.exp(this.logSumExp[t] - sum);
      shares.piece[i] = Math.exp(logSumExp[i] - sum);
      this.logSumExp[t] = sum;
    }
    if ('top' in result) this.rank(result, at, piece);
    return shares;
  }

  private rank(result: Readonly<Record<string, Tensor>>, at: number, { start }: Piece): void {
    const topLogit = floats(result.topLogit);
    const top = integers(result.top);
    for (let i = 0, t = at; i < top.length; i++, t++) {
      if (topLogit[i] > this.topLogit[t]) {
        this.topLogit[t] = topLogit[i];
        this.top[t] = start + top[i]; // pieces ascend: of equal logits, the first one has the lowest id
      }
    }
  }
}

/** The same for a model that is compared. */
class Compared extends Distribution {
  private readonly targetLogit: Float64Array;
  /** Mean of the teacher's logit − this model's under the teacher's probabilities. */
  private readonly difference: Float64Array;

  constructor(tokens: number) {
    super(tokens);
    this.targetLogit = new Float64Array(tokens);
    this.difference = new Float64Array(tokens);
  }

  /**
   * @param shares the teacher's
   * @param targets of these positions
   */
  addComparison(
    result: Readonly<Record<string, Tensor>>,
    at: number,
    shares: Shares,
    { start, size }: Piece,
    targets: readonly number[],
  ): void {
    const difference = floats(result.difference);
    const targetLogit = floats(result.targetLogit);
    for (let i = 0, t = at; i < targets.length; i++, t++) {
      this.difference[t] = shares.before[i] * this.difference[t] + shares.piece[i] * difference[i];
      if (targets[i] >= start && targets[i] < start + size) this.targetLogit[t] = targetLogit[i];
    }
  }

  divergences(teacher: Distribution, length: number): Divergences {
    const { logSumExp, targetLogit, difference } = this;
    return {
      losses: withTarget(
        logSumExp.map((sum, t) => sum - targetLogit[t]),
        length,
      ),
      divergences: withTarget(
        logSumExp.map((sum, t) => difference[t] + (sum - teacher.logSumExp[t])),
        length,
      ),
    };
  }

  agree(teacher: Distribution, length: number): Uint8Array {
    return withTarget(
      Uint8Array.from(this.top, (word, t) => Number(word === teacher.top[t])),
      length,
    );
  }
}
