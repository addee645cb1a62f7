/**
 * The teacher of a distillation: another view of a model, most often the unpruned one. Its distribution over the next
 * token is what the student's is drawn to (forward KL, spec §4: Minitron's guidance).
 */
import { Forward } from '../transformer/forward';
import type { Model } from '../transformer/model';
import { stepsOf, type View } from '../transformer/view';
import type { MicroBatch } from './batch';

export class Teacher {
  private readonly passes = new Map<number, Forward>();

  constructor(
    private readonly model: Model,
    private readonly view: View,
    /** Its part in the loss, 0 … 1. */
    readonly weight: number,
  ) {}

  /** States after the last block, (tokens, hidden). */
  async lastStates({ ids, length }: MicroBatch): Promise<Float32Array> {
    let forward = this.passes.get(length);
    if (!forward) this.passes.set(length, (forward = new Forward(this.model, length)));
    let state = await forward.embedChunk(ids);
    for (const step of stepsOf(this.view)) {
      const open = await forward.open(step, true);
      const next = await open.run(state);
      state.release();
      state = next;
      await open.close();
    }
    const data = Float32Array.from(state.data);
    state.release();
    return data;
  }
}
