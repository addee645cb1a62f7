/** The forward and backward runs of one trained step over micro-batches. */
import { floats, type Feeds, type Tensor } from '../../onnx/session';
import { type Arena, concreteShape, type Extents } from '../../model/arena';
import type { Model } from '../../model/model';
import type { Positions } from '../../model/positions';
import { gradientName, type TrainingGraphs } from '../../model/training-graph';
import type { Activations, MemoryPolicy, TrainingStep } from '../../model/training-step';
import type { Parameters } from './adamw';
import type { MicroBatch } from './batch';
import type { DropoutMasks } from './dropout';
import { addGradient, type GradientSums } from './gradient-sums';
import type { TrainedStep } from './trainable-model';

/** The masks of a batch; `step` is the number of the optimiser's step. */
export interface Dropout {
  readonly masks: DropoutMasks;
  readonly step: number;
}

/** What the steps of a model share. */
export interface SharedParts {
  readonly model: Model;
  readonly parameters: Parameters;
  readonly policy: MemoryPolicy;
  readonly arena: Arena;
  /** Position feeds for rows of a length. */
  readonly positions: (length: number) => Positions;
}

export class StepPass {
  constructor(
    /** Index among the steps of the trained model. */
    private readonly index: number,
    private readonly trained: TrainedStep,
    private readonly graphs: TrainingGraphs,
    private readonly sessions: TrainingStep,
    private readonly shared: SharedParts,
  ) {}

  /** All feeds of a run except x and dy. Without `dropout`, nothing is dropped. */
  feeds(micro: MicroBatch, dropout?: Dropout): Feeds {
    const { step, feeds: parameters, dropoutSites } = this.trained;
    const feeds: Record<string, Tensor> = { ...parameters };
    if (step.attention) Object.assign(feeds, this.shared.positions(micro.length).plain(step.block));
    for (const [site, { name, width }] of dropoutSites.entries()) {
      const mask = this.shared.arena.take(`${name} ${this.index}`, [micro.ids.length, width]);
      const perRow = micro.length * width;
      micro.rows.forEach((row, r) => {
        const into = floats(mask).subarray(r * perRow, (r + 1) * perRow);
        if (dropout) dropout.masks.fill(into, { step: dropout.step, row, block: this.index, site });
        else into.fill(1);
      });
      feeds[name] = mask;
    }
    return feeds;
  }

  /** @returns y (tokens, hidden), and the activations, which are empty unless they are kept */
  async forward(feeds: Feeds, micro: MicroBatch): Promise<{ y: Tensor; activations: Activations }> {
    const { arena, policy } = this.shared;
    const fetches: Record<string, Tensor> = {
      y: arena.take(`state ${this.index + 1}`, this.stateShape(micro)),
    };
    if (policy.keepActivations) {
      for (const { name, shape } of this.graphs.saved) {
        fetches[name] = arena.take(`saved ${this.index} ${name}`, concreteShape(shape, extentsOf(micro)));
      }
    }
    const result = await this.sessions.forward(feeds, fetches);
    if (!policy.keepSessions) await this.sessions.close();
    return result;
  }

  /** Adds the gradients of the step's parameters to `sums`. @returns ∂L/∂x */
  async backward(feeds: Feeds, micro: MicroBatch, sums: GradientSums): Promise<Tensor> {
    const { arena, policy, parameters } = this.shared;
    const fetches: Record<string, Tensor> = {
      dx: arena.take(`gradient ${this.index % 2}`, this.stateShape(micro)),
    };
    for (const name of this.graphs.parameters) {
      const { shape } = parameters.get(this.trained.names.get(name)!)!;
      fetches[gradientName(name)] = arena.take(gradientName(name), shape);
    }
    const { dx, gradients } = await this.sessions.backward(feeds, fetches);
    for (const [name, gradient] of Object.entries(gradients)) {
      addGradient(sums, this.trained.names.get(name)!, floats(gradient));
    }
    if (!policy.keepSessions) await this.sessions.close();
    return dx;
  }

  private stateShape(micro: MicroBatch): number[] {
    return [micro.ids.length, this.shared.model.architecture.hidden];
  }
}

/** Bytes of a step's activations in a micro-batch of these extents. */
export function activationBytes({ saved }: TrainingGraphs, extents: Extents): number {
  return saved.reduce((sum, { shape }) => sum + 4 * concreteShape(shape, extents).reduce((a, b) => a * b, 1), 0);
}

function extentsOf({ ids, rows, length }: MicroBatch): Extents {
  return { tokens: ids.length, rows: rows.length, length };
}
