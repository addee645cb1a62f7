/**
 * What each model must be to ship, and the steps on the way there that the user leaves out. Both belong to a whole family:
 * they are kept by the identity of its original model, with the workspace. Does not use VS Code.
 */
import { isObject } from '../format/json';
import { EXPORT_FORMATS, type ExportFormat } from '../engine/write/formats';
import { type ShipGoal, type StepName, STEPS } from '../protocol/journey';
import type { Memento } from './memento';
import { Emitter, type Subscription } from '../sidecar/emitter';
import { KeptMap } from './kept-map';

interface Kept {
  readonly goal?: ShipGoal;
  /** In place of a goal: the same text, faster. */
  readonly faster?: true;
  /** Steps that are left out, by the identity of the model that they would change. */
  readonly skipped?: Readonly<Record<string, readonly StepName[]>>;
}

const KEY = 'goals';

export class Goals {
  private readonly kept: KeptMap<Kept>;
  private readonly changed = new Emitter<string>();
  /** Fires with the identity of the original model. */
  readonly onChange: (listener: (original: string) => void) => Subscription = this.changed.on;

  constructor(store: Memento) {
    this.kept = new KeptMap(store, KEY, readKept, (original) => this.changed.fire(original));
  }

  /** @param original identity of the oldest known ancestor, or of the model itself */
  goal(original: string): ShipGoal | undefined {
    return this.kept.get(original)?.goal;
  }

  /** @param goal undefined drops it */
  set(original: string, goal: ShipGoal | undefined): void {
    const { skipped } = this.kept.get(original) ?? {};
    this.keep(original, { ...(goal && { goal }), ...(skipped && { skipped }) });
  }

  /** Whether the family is to write the same text faster, in place of a goal. */
  wantsFaster(original: string): boolean {
    return this.kept.get(original)?.faster === true;
  }

  /** Takes the place of a goal, as a goal takes its place. */
  setFaster(original: string): void {
    const { skipped } = this.kept.get(original) ?? {};
    this.keep(original, { faster: true, ...(skipped && { skipped }) });
  }

  /** The steps that the user leaves out for the model with this identity. */
  skipped(original: string, identity: string): readonly StepName[] {
    return this.kept.get(original)?.skipped?.[identity] ?? [];
  }

  skip(original: string, identity: string, step: StepName): void {
    const before = this.kept.get(original) ?? {};
    const steps = [...new Set([...this.skipped(original, identity), step])];
    this.keep(original, { ...before, skipped: { ...before.skipped, [identity]: steps } });
  }

  private keep(original: string, kept: Kept): void {
    this.kept.set(original, kept);
    this.changed.fire(original);
  }
}

/** Reads what was stored, also by other versions. */
function readKept(stored: unknown): Kept | undefined {
  if (!isObject(stored)) return undefined;
  const goal = readGoal(stored.goal);
  const skipped = readSkipped(stored.skipped);
  const faster = stored.faster === true && !goal;
  if (!goal && !skipped && !faster) return undefined;
  return { ...(goal && { goal }), ...(faster && { faster: true as const }), ...(skipped && { skipped }) };
}

function readGoal(stored: unknown): ShipGoal | undefined {
  if (!isObject(stored) || !EXPORT_FORMATS.includes(stored.format as ExportFormat)) return undefined;
  const { format, type, maxBytes, maxRatio, maxRepetition, minSame, maxProbeLoss } = stored;
  return {
    format: format as ExportFormat,
    ...(typeof type === 'string' && { type }),
    ...(isPositive(maxBytes) && { maxBytes }),
    ...(isPositive(maxRatio) && { maxRatio }),
    ...((maxRepetition === 0 || isPositive(maxRepetition)) && { maxRepetition }),
    ...(isPositive(minSame) && minSame <= 1 && { minSame }),
    ...((maxProbeLoss === 0 || isPositive(maxProbeLoss)) && { maxProbeLoss }),
  };
}

const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

function readSkipped(stored: unknown): Kept['skipped'] {
  if (!isObject(stored)) return undefined;
  return Object.fromEntries(
    Object.entries(stored).flatMap(([identity, steps]) =>
      Array.isArray(steps) ? [[identity, STEPS.filter((step) => steps.includes(step))]] : [],
    ),
  );
}
