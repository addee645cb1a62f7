/** The pass that fits the factors of kept experts: block by block, and in a block group by group of experts. */
import type { ExpertFactors, KeptExperts } from '../../checkpoint/kept-experts';
import { expertsIn } from '../../checkpoint/kinds/parts';
import { Products } from '../../heal/solve';
import { rowsPerGroup } from '../../model/cost';
import type { ExpertWatch } from '../../model/expert-groups';
import { Forward, type TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { releaseState, retainState, type State } from '../../model/states';
import { type Step, stepsOf, type View } from '../../model/view';
import { type JobOptions, partName, Work } from '../../progress';
import { checkpointWeights } from '../../weights/checkpoint';
import { FewerExperts } from '../../weights/fewer-experts';
import type { WeightSource } from '../../weights/source';
import { fittingArrays } from './criteria';
import { FactorSums } from './rescale';

/**
 * A factor of every kept expert.
 * Kept experts get what they get in the model with fewer experts, whose factors are all 1, and are to give what the original gives at this
 * place. On all toys that brought the whole model nearer than to let them get what they get in the original, and as near as to go on with
 * factors that are known already, for which no rows could pass later than others (docs/design/importance.md).
 * @param model the original
 * @param rows tokens, all of one length
 * @param kept of every block with experts in the view
 * @throws UserError for numbers that are not finite; CancelledError
 */
export async function fitFactors(
  model: Model,
  rows: TokenRows,
  kept: KeptExperts,
  view: View,
  job: JobOptions = {},
): Promise<ExpertFactors> {
  const fewer = new FewerExperts(checkpointWeights(model.checkpoint), kept);
  const products = new Products(model.threads, job.signal);
  try {
    const factors = new Map<number, readonly number[]>();
    for (const sums of await passRows(model, fewer, rows, kept, view, job))
      factors.set(sums.block, await sums.solve(products));
    return factors;
  } finally {
    await products.close();
    await fewer.close();
  }
}

async function passRows(
  model: Model,
  fewer: WeightSource,
  rows: TokenRows,
  kept: KeptExperts,
  view: View,
  job: JobOptions,
): Promise<readonly FactorSums[]> {
  const { hidden, layers } = model.architecture;
  const { length } = rows[0];
  const steps = stepsOf(view);
  const last = steps.findLastIndex(({ block }) => kept.has(block));
  const sums = new Map([...kept].map(([block, numbers]) => [block, new FactorSums(block, numbers.length, hidden)]));
  const chosen = Math.max(...[...kept.keys()].map((block) => expertsIn(layers[block])!.chosen));
  const rowBytes = length * hidden * Float32Array.BYTES_PER_ELEMENT;
  const perGroup = rowsPerGroup(Math.floor(model.memory / (fittingArrays(chosen) * rowBytes)), length);
  const work = new Work(job, 2 * rows.length * (last + 1), 'row-blocks', 'reading the model');
  const forward = new Forward(model, length);
  const through = async (weights: WeightSource, step: Step, state: State, watch?: ExpertWatch): Promise<State> => {
    const open = await forward.openOver(weights, step);
    try {
      return await open.runAll(state, (chunk) => work.advance(chunk.rows), watch);
    } finally {
      await open.close();
    }
  };
  for (let at = 0; at < rows.length; at += perGroup) {
    const group = rows.slice(at, at + perGroup);
    const part = partName(at / perGroup, Math.ceil(rows.length / perGroup));
    let original: State = await forward.embed(group);
    let pruned = retainState(original);
    for (const [k, step] of steps.slice(0, last + 1).entries()) {
      work.step(`${part}block ${k + 1} of ${steps.length}`);
      const own = sums.get(step.block);
      const tokens = own && new TokenOutputs(group.length * length, chosen, hidden);
      original = await through(model.weights, step, original, tokens?.original);
      pruned = await through(fewer, step, pruned, tokens?.pruned);
      if (own) tokens?.addTo(own);
    }
    [original, pruned].forEach(releaseState);
  }
  return [...sums.values()];
}

/** What a block's experts give to tokens, in the original and with fewer of them. */
class TokenOutputs {
  /** The sum over all experts, (tokens, hidden). */
  private readonly wanted: Float32Array;
  /** Kept experts of each token in turn, their weights included: (tokens, chosen, hidden). */
  private readonly outputs: Float32Array;
  private readonly experts: Int32Array;
  /** How many a token has: a weight can be 0 in float32. */
  private readonly counts: Int32Array;

  constructor(
    private readonly tokens: number,
    private readonly chosen: number,
    private readonly hidden: number,
  ) {
    this.wanted = new Float32Array(tokens * hidden);
    this.outputs = new Float32Array(tokens * chosen * hidden);
    this.experts = new Int32Array(tokens * chosen);
    this.counts = new Int32Array(tokens);
  }

  readonly original: ExpertWatch = (_, share, __, token, output) => {
    const at = token * this.hidden;
    for (let j = 0; j < output.length; j++) this.wanted[at + j] += share * output[j];
  };

  readonly pruned: ExpertWatch = (expert, share, _, token, output) => {
    const place = token * this.chosen + this.counts[token]++;
    this.experts[place] = expert;
    const at = place * this.hidden;
    for (let j = 0; j < output.length; j++) this.outputs[at + j] = share * output[j];
  };

  /** Token after token, so that the sums have the same bits however rows were grouped. */
  addTo(sums: FactorSums): void {
    const { chosen, hidden } = this;
    for (let token = 0; token < this.tokens; token++) {
      const first = token * chosen;
      const end = first + this.counts[token];
      sums.add(
        this.wanted.subarray(token * hidden, (token + 1) * hidden),
        this.experts.subarray(first, end),
        this.outputs.subarray(first * hidden, end * hidden),
      );
    }
  }
}
