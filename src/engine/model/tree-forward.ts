/**
 * A forward pass over trees of tokens of any size, one block at a time. Trees of about the same size share a run; the
 * smaller ones are padded.
 */
import { float32, floats, type Feeds, keepsTensors, type Tensor } from '../onnx/session';
import type { Work } from '../progress';
import type { Model } from './model';
import { RotationTables } from './positions';
import { openStepSession } from './step-session';
import { classesOf, type TokenTree, treeMask, treePositions } from './token-tree';
import type { Step } from './view';
import { windowOf } from '../checkpoint/kinds/parts';

/** Tokens per run, as in forward.ts. */
const TOKENS_PER_RUN = 640;
/** A tree joins others in a run if it fills this part of the longest one's length. */
const FILLED = 0.9;

/** Trees of one run. */
interface Batch {
  /** Indices of the trees. */
  readonly members: readonly number[];
  /** Tokens of the largest tree. */
  readonly length: number;
}

/** The trees in runs, the largest first. @param sizes tokens of each tree */
function batchesOf(sizes: readonly number[], tokensPerRun = TOKENS_PER_RUN): Batch[] {
  const order = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a] || a - b);
  const batches: { members: number[]; length: number }[] = [];
  for (const tree of order) {
    const last = batches.at(-1);
    const fits =
      last !== undefined &&
      (last.members.length + 1) * last.length <= tokensPerRun &&
      sizes[tree] >= FILLED * last.length;
    if (fits) last.members.push(tree);
    else batches.push({ members: [tree], length: sizes[tree] });
  }
  return batches;
}

/** Tokens that a pass over these trees computes, padding included. */
export const computedTokens = (trees: readonly TokenTree[]): number =>
  batchesOf(trees.map(({ ids }) => ids.length)).reduce((sum, { members, length }) => sum + members.length * length, 0);

/**
 * Bytes that a pass needs for a tree: its states before and after a block, and its masks.
 */
export function treeBytes({ ids }: TokenTree, model: Model): number {
  const { hidden, layers } = model.architecture;
  const windows = new Set(layers.map(windowOf)).size;
  return 4 * ids.length * (2 * hidden + windows * ids.length);
}

/**
 * The residual stream behind the last step.
 * @param bundles of trees: only those of one bundle share runs, so that their numbers do not depend on the other bundles
 * @param work advanced by one for each token and step, padding included
 * @param part of the work, from `partName`
 * @returns for each bundle and tree the states of its tokens, (tokens, hidden)
 * @throws CancelledError
 */
export async function treeStates(
  model: Model,
  steps: readonly Step[],
  bundles: readonly (readonly TokenTree[])[],
  work: Work,
  part = '',
): Promise<Float32Array[][]> {
  const { hidden } = model.architecture;
  const runs: { readonly bundle: number; readonly run: Run }[] = [];
  for (const [bundle, trees] of bundles.entries()) {
    for (const batch of batchesOf(trees.map(({ ids }) => ids.length))) {
      const members = batch.members.map((member) => trees[member]);
      runs.push({ bundle, run: await openRun(model, batch, members) });
    }
  }
  for (const [k, step] of steps.entries()) {
    work.step(`${part}block ${k + 1} of ${steps.length}`);
    const session = await openStepSession(model, step, 'tree', k === steps.length - 1);
    try {
      for (const { run } of runs) {
        await run.through(step, session.run);
        work.advance(run.tokens);
      }
    } finally {
      await session.close();
    }
  }
  const states: Float32Array[][] = bundles.map(() => []);
  for (const { bundle, run } of runs) {
    const { batch, x } = run;
    for (const [at, member] of batch.members.entries()) {
      const start = at * batch.length * hidden;
      const { ids } = bundles[bundle][member];
      states[bundle][member] = floats(x).subarray(start, start + ids.length * hidden);
    }
  }
  return states;
}

/** A run through every step. */
interface Run {
  readonly batch: Batch;
  readonly tokens: number;
  /** The residual stream so far, (trees · length, hidden). */
  readonly x: Tensor;
  readonly through: (step: Step, run: (feeds: Feeds, into?: Tensor) => Promise<Tensor>) => Promise<void>;
}

async function openRun(model: Model, batch: Batch, trees: readonly TokenTree[]): Promise<Run> {
  const { architecture, embedding, device } = model;
  const { hidden } = architecture;
  const tokens = batch.members.length * batch.length;
  const shape = [tokens, hidden];
  const ids = trees.flatMap((tree) => [...tree.ids, ...Array<number>(batch.length - tree.ids.length).fill(0)]);
  const onDevice = keepsTensors(device.provider);
  const feedsOf = attentionFeeds(model, batch, trees);
  let x = float32(await embedding.lookUp(ids), shape);
  let spare = onDevice ? undefined : float32(new Float32Array(tokens * hidden), shape);
  return {
    batch,
    tokens,
    get x() {
      return x;
    },
    through: async (step, run) => {
      const before = x;
      x = await run({ x, ...feedsOf(step) }, spare);
      if (onDevice) before.dispose();
      else spare = before;
    },
  };
}

/** Positions, rotation tables and mask of a step. Steps with one window share a mask. */
function attentionFeeds(model: Model, { length }: Batch, trees: readonly TokenTree[]): (step: Step) => Feeds {
  const { layers } = model.architecture;
  const positions = treePositions(trees, length);
  // The operator wants as many rows as tokens.
  const tables = new RotationTables(model.architecture, length, classesOf(trees));
  const masks = new Map<number | null, Tensor>();
  return ({ block, attention }) => {
    if (!attention) return {};
    const window = windowOf(layers[block]);
    let mask = masks.get(window);
    if (!mask) masks.set(window, (mask = treeMask(trees, length, window)));
    return { ...tables.of(block), positions, mask };
  };
}
