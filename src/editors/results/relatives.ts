/** The other checkpoints of the workspace: whether they can generate, and how they are related to the panel's one. */
import { dirname } from 'node:path';
import { parametersOf, parametersReadOf } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import { modelName } from '../../engine/records/record';
import { hasTokenizer } from '../../engine/tokenizer/files';
import { lineOf } from '../../state/lineage';
import { type Origin, Origins } from '../../state/origins';
import type { PanelCheckpoint } from './services';

/** A checkpoint that opens without error. */
export interface Relative {
  readonly path: string;
  readonly name: string;
  readonly identity: string;
  /** The model from which Coppice made it. */
  readonly origin?: Origin;
  /** Undefined if its architecture is not supported. */
  readonly size?: {
    readonly blocks: number;
    readonly parameters: number;
    readonly parametersRead: number;
    /** Tokens of its vocabulary. */
    readonly vocabulary: number;
    /** Of its files. */
    readonly bytes: number;
  };
  /** Its architecture is supported and it has a tokenizer. */
  readonly canWrite: boolean;
}

/** From the nearest: the base model, derived models, models with a common ancestor, models in the same folder, others. */
export type Nearness = 'parent' | 'child' | 'kin' | 'neighbour' | 'other';
const ORDER: readonly Nearness[] = ['parent', 'child', 'kin', 'neighbour', 'other'];

/** Limit of opened checkpoints, for large workspaces. */
const MAX_OTHERS = 200;

export class Relatives {
  private own: Relative;
  private others: readonly Relative[] = [];

  constructor(
    private readonly source: PanelCheckpoint,
    private readonly load: (path: string) => Promise<Checkpoint>,
    private readonly origins: Origins,
  ) {
    const { path, checkpoint } = source;
    this.own = { ...describe(path, checkpoint), canWrite: true }; // until the first look
  }

  /** Opens the checkpoints at these paths, and skips those with errors. */
  async refresh(paths: readonly string[]): Promise<void> {
    const { path, checkpoint } = this.source;
    this.own = await this.relative(path, checkpoint);
    const others = paths.filter((other) => other !== path).slice(0, MAX_OTHERS);
    const found = await Promise.all(
      others.map(async (other) => {
        const checkpoint = await this.load(other).catch((error: unknown) => {
          if (error instanceof UserError) return undefined;
          throw error;
        });
        return checkpoint && this.relative(other, checkpoint);
      }),
    );
    this.others = found.filter((relative) => relative !== undefined);
  }

  /** The panel's checkpoint itself. */
  get self(): Relative {
    return this.own;
  }

  /** The base model of this checkpoint, if it is among the others. */
  get parent(): Relative | undefined {
    return this.others.find((other) => this.nearness(other) === 'parent');
  }

  /** Identity of the oldest known ancestor; its own without one. */
  get originalIdentity(): string {
    return this.rootOf(this.own);
  }

  /** The oldest ancestor, if it is among the others. */
  get original(): Relative | undefined {
    const root = this.originalIdentity;
    return root === this.own.identity ? undefined : this.others.find(({ identity }) => identity === root);
  }

  /** The models that were made from this checkpoint. */
  get children(): readonly Relative[] {
    return this.others.filter((other) => this.nearness(other) === 'child');
  }

  /** All other checkpoints, the nearest first. */
  get nearestFirst(): readonly Relative[] {
    const rank = (relative: Relative): number => ORDER.indexOf(this.nearness(relative));
    return [...this.others].sort((a, b) => rank(a) - rank(b));
  }

  nearness(other: Relative): Nearness {
    const { identity, origin, path } = this.own;
    if (origin?.identity === other.identity) return 'parent';
    if (other.origin?.identity === identity) return 'child';
    if (this.rootOf(other) === this.rootOf(this.own)) return 'kin';
    return dirname(other.path) === dirname(path) ? 'neighbour' : 'other';
  }

  /** Identities of what this checkpoint was made from, the nearest first, as far as records of the others tell. */
  get ancestors(): readonly string[] {
    return this.lineOf(this.own).slice(1);
  }

  /** The identity of the oldest known ancestor. */
  private rootOf(relative: Relative): string {
    return this.lineOf(relative).at(-1)!;
  }

  /** Identities from the checkpoint itself to its oldest known ancestor. */
  private lineOf({ identity, origin }: Relative): readonly string[] {
    const all = [this.own, ...this.others];
    return lineOf(identity, origin?.identity, (id) => all.find((each) => each.identity === id)?.origin?.identity);
  }

  private async relative(path: string, checkpoint: Checkpoint): Promise<Relative> {
    const place = checkpoint.home;
    const [origin, canEncode] = await Promise.all([this.origins.of(place), hasTokenizer(place).catch(() => false)]);
    const described = describe(path, checkpoint);
    return { ...described, ...(origin && { origin }), canWrite: described.size !== undefined && canEncode };
  }
}

function describe(path: string, checkpoint: Checkpoint): Omit<Relative, 'canWrite' | 'origin'> {
  const { architecture, identity } = checkpoint;
  return {
    path,
    name: modelName(checkpoint),
    identity,
    ...(architecture && {
      size: {
        blocks: architecture.layers.length,
        parameters: parametersOf(architecture),
        parametersRead: parametersReadOf(architecture),
        vocabulary: architecture.vocabulary,
        bytes: checkpoint.size.all,
      },
    }),
  };
}
