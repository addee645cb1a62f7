/**
 * Perplexity of a model beside two numbers that perplexity hides: its mean KL divergence from the unpruned model, and how
 * often both find the same token most likely. All three come from one pass over the weights: a block that both models
 * have is opened once, and up to their first difference they share their hidden states.
 */
import type { LayerWeightKey } from '../checkpoint/weight-key';
import { lossWarning } from '../importance/not-finite';
import { groupWork } from '../importance/groups';
import { compareStates, type Comparison, comparisonWork } from '../model/divergence';
import { Forward, type TokenRows } from '../model/forward';
import type { Changes, Model } from '../model/model';
import { releaseState, retainState, type Chunk, type State } from '../model/states';
import { fullView, type Step, stepsOf, type View } from '../model/view';
import { type JobOptions, partName, Work } from '../progress';
import type { MeasuredRows } from './perplexity';
import { comparisonByRow, joinedRows, type RowComparisons, summariseNumbers } from './row-numbers';

/** A model, and what of it is used. */
export interface Viewed {
  readonly model: Model;
  readonly view: View;
}

/** The model that another is compared with. */
export interface Unpruned extends Viewed {
  /**
   * The changes of the weights that the compared model has on top of this one's, if both are of one checkpoint; undefined
   * if they are of different checkpoints.
   */
  readonly changes?: Changes;
}

/** The whole of a model, as the one that its own views are compared with. */
export const wholeOf = (model: Model): Unpruned => ({
  model,
  view: fullView(model.architecture.layers.length),
  changes: [],
});

/**
 * What is compared of every row.
 * @param rows tokens, all of one length; every token of a row except the first is scored
 * @throws UserError when the vocabularies differ; CancelledError
 */
export async function comparedRows(
  viewed: Viewed,
  unpruned: Unpruned,
  rows: TokenRows,
  job: JobOptions = {},
): Promise<MeasuredRows<RowComparisons>> {
  const perRow = rows[0].length - 1;
  const numbers = joinedRows(
    (await comparisonsOf(viewed, unpruned, rows, job)).map((group) => comparisonByRow(group, perRow)),
  );
  const warning = await lossWarning(viewed.model, rows, viewed.view, summariseNumbers(numbers, perRow), job);
  return { numbers, ...(warning !== undefined && { warning }) };
}

/** The same for every position that has a target: comparisons of groups of rows, in their order. */
export async function comparisonsOf(
  { model, view }: Viewed,
  unpruned: Unpruned,
  rows: TokenRows,
  job: JobOptions = {},
): Promise<Comparison[]> {
  const { length } = rows[0];
  const openings = openingsOf(view, unpruned);
  const perRow = openings.reduce((sum, { of }) => sum + (of === 'both' ? 2 : 1), 0);
  const total = rows.length * (perRow + comparisonWork(model.architecture, 1));
  const work = new Work(job, total, 'row-blocks', 'reading the model');
  const found: Comparison[] = [];
  const rowBytes = length * 4 * Math.max(model.architecture.hidden, unpruned.model.architecture.hidden);
  const budget = Math.min(model.memory, unpruned.model.memory);
  const groups = groupWork(rows, [0], rowBytes, budget); // a state for each of both models
  const lanes = new Lanes(model, unpruned, length);
  for (const [g, { rows: some }] of groups.entries()) {
    const part = partName(g, groups.length);
    const { whole, own } = await lanes.pass(some, openings, work, part);
    work.step(`${part}divergences`);
    try {
      const taught = { model: unpruned.model, state: whole };
      const [comparison] = await compareStates(model, taught, [own], some, work);
      found.push(comparison);
    } finally {
      [whole, own].forEach(releaseState);
    }
  }
  return found;
}

/** A step to open, and the models that pass it. */
interface Opening {
  readonly step: Step;
  readonly of: 'whole' | 'own' | 'both';
}

/** The steps of both models: block by block if they are of one checkpoint, otherwise one model after the other. */
function openingsOf(view: View, { view: whole, changes }: Unpruned): Opening[] {
  const steps = (of: 'whole' | 'own', viewed: View): Opening[] => stepsOf(viewed).map((step) => ({ step, of }));
  if (changes === undefined) return [...steps('whole', whole), ...steps('own', view)];
  const changed = changedBlocks(changes);
  return whole.attention.flatMap((_, block): Opening[] => {
    const [first, second] = [whole, view].map(({ attention, ffn }) => ({
      block,
      attention: attention[block],
      ffn: ffn[block],
    }));
    const isSame = first.attention === second.attention && first.ffn === second.ffn && !changed.has(block);
    const openings: Opening[] = isSame
      ? [{ step: first, of: 'both' }]
      : [
          { step: first, of: 'whole' },
          { step: second, of: 'own' },
        ];
    return openings.filter(({ step }) => step.attention || step.ffn);
  });
}

function changedBlocks(changes: Changes): ReadonlySet<number> {
  const keys = changes.flat().map(([key]) => key);
  return new Set(keys.filter((key): key is LayerWeightKey => typeof key !== 'string').map(({ layer }) => layer));
}

/** The hidden states of both models, which are one while nothing has set them apart. */
class Lanes {
  private readonly forwards: { readonly whole: Forward; readonly own: Forward };
  /** Whether both begin with the same embedding. */
  private readonly together: boolean;

  constructor(model: Model, { model: teacher, changes }: Unpruned, length: number) {
    this.forwards = { whole: new Forward(teacher, length), own: new Forward(model, length) };
    this.together = changes !== undefined && !changes.flat().some(([key]) => key === 'embed');
  }

  /** @returns the last states of both, which the caller releases */
  async pass(
    rows: TokenRows,
    openings: readonly Opening[],
    work: Work,
    part: string,
  ): Promise<{ readonly whole: State; readonly own: State }> {
    const { forwards } = this;
    let whole: State = await forwards.whole.embed(rows);
    let own: State = this.together ? retainState(whole) : await forwards.own.embed(rows);
    for (const [k, { step, of }] of openings.entries()) {
      work.step(`${part}block ${k + 1} of ${openings.length}`);
      const open = await forwards[of === 'own' ? 'own' : 'whole'].open(step, false);
      const through = async (state: State): Promise<State> => {
        const next: Chunk[] = [];
        for (const chunk of state) {
          next.push(await open.run(chunk));
          chunk.release();
          work.advance(chunk.rows);
        }
        return next;
      };
      try {
        const isShared = of === 'both' && whole.every((chunk, c) => chunk === own[c]);
        if (isShared) releaseState(own);
        if (of !== 'own') whole = await through(whole);
        if (isShared) {
          own = retainState(whole);
          work.advance(rows.length);
        } else if (of !== 'whole') own = await through(own);
      } finally {
        await open.close();
      }
    }
    return { whole, own };
  }
}
