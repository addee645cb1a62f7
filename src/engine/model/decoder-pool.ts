/**
 * Sessions for several models that write side by side. What they have in common is in memory once: the models are cut where
 * they part, and equal runs of blocks are one session. Caches are feeds, so a session belongs to no text.
 *
 * Blocks are equal if their numbers are, whatever file they are in: those of the original, of a plan, of a pruned copy, and
 * those below an adapter, whose matrices are feeds too.
 */
import { createHash } from 'node:crypto';
import { linearNames, moduleOf } from '../checkpoint/architecture';
import { keyText, layerKeys, type WeightKey } from '../checkpoint/weight-key';
import type { Session } from '../onnx/session';
import { originOf, type WeightSource } from '../weights/source';
import { blockStyleKey } from './block';
import { headStyleKey } from './logits';
import type { Model } from './model';
import { bytesOfParts, type FedLinear, fits, type Segment } from './segments';
import { type Step, stepsOf, type View } from './view';

export interface PoolMember {
  readonly model: Model;
  readonly view: View;
}

/** A step or the head of a member. */
interface Stage {
  /** Equal for equal parts. */
  readonly id: string;
  /** Undefined for the head. */
  readonly step?: Step;
  readonly bytes: number;
}

/** What a part comes before the first or after the last one. */
const NOTHING = '';

interface Held {
  readonly session: Promise<Session>;
  users: number;
}

export class DecoderPool {
  private readonly held = new Map<string, Held>();

  private constructor(
    private readonly members: readonly PoolMember[],
    /** For each member. */
    private readonly segments: readonly (readonly (Segment & { readonly id: string })[])[],
  ) {}

  /**
   * @returns undefined where there is nothing to share: for one model, other devices than the CPU, or too little memory
   * @throws UserError when a file cannot be read
   */
  static async of(members: readonly PoolMember[]): Promise<DecoderPool | undefined> {
    if (members.length < 2 || members.some(({ model }) => model.device.provider !== 'cpu')) return undefined;
    const all = await partsOf(members);
    const distinct = new Map(all.flat().map((part) => [part.id, part.bytes]));
    const bytes = [...distinct.values()].reduce((sum, each) => sum + each, 0);
    if (!members.every(({ model }) => fits(bytes, model))) return undefined;
    return new DecoderPool(members, cut(all, members));
  }

  /** Undefined for a model and a view that are not in the pool. */
  segmentsOf(model: Model, view: View): readonly Segment[] | undefined {
    return this.segments[this.members.findIndex((member) => member.model === model && member.view === view)];
  }

  /** Sessions that are open now. */
  get open(): number {
    return this.held.size;
  }

  /** The session of a segment. The caller releases it. @param open is called if nobody else holds it */
  async acquire(segment: Segment, open: () => Promise<Session>): Promise<Session> {
    const id = idOf(segment);
    let held = this.held.get(id);
    if (!held) this.held.set(id, (held = { session: open(), users: 0 }));
    held.users++;
    try {
      return await held.session;
    } catch (error) {
      this.held.delete(id);
      throw error;
    }
  }

  /** Gives up the session of a segment; it closes with its last user. */
  async release(segment: Segment): Promise<void> {
    const id = idOf(segment);
    const held = this.held.get(id);
    if (!held || --held.users > 0) return;
    this.held.delete(id);
    await (await held.session).close();
  }
}

const idOf = (segment: Segment): string => (segment as Segment & { readonly id: string }).id;

/** The parts of each member. A part that a member has twice is another one the second time. */
async function partsOf(members: readonly PoolMember[]): Promise<Stage[][]> {
  const origins = new Set(members.map(({ model }) => originOf(model.weights, 'embed').identity));
  const all: Stage[][] = [];
  for (const { model, view } of members) {
    const { architecture, precision, weights } = model;
    const { outer, blocks } = bytesOfParts(architecture, precision);
    const times = new Map<string, number>();
    const parts: Stage[] = [];
    for (const step of stepsOf(view)) {
      const block = await identities.block(weights, step.block, origins.size > 1);
      const about = { precision, attention: step.attention, ffn: step.ffn, block };
      const same = digest(JSON.stringify(about));
      const count = (times.get(same) ?? 0) + 1;
      times.set(same, count);
      parts.push({ id: `${same} ${count}`, step, bytes: blocks[step.block] });
    }
    const head = digest(JSON.stringify({ precision, head: await identities.head(weights, origins.size > 1) }));
    all.push([...parts, { id: head, bytes: outer }]);
  }
  return all;
}

/** Cuts between two parts unless each of them is always beside the other. */
function cut(
  all: readonly (readonly Stage[])[],
  members: readonly PoolMember[],
): (Segment & { readonly id: string })[][] {
  const before = new Map<string, Set<string>>();
  const after = new Map<string, Set<string>>();
  const note = (map: Map<string, Set<string>>, of: string, neighbour: string): void => {
    map.set(of, (map.get(of) ?? new Set()).add(neighbour));
  };
  for (const parts of all) {
    for (const [i, { id }] of parts.entries()) {
      note(before, id, parts[i - 1]?.id ?? NOTHING);
      note(after, id, parts[i + 1]?.id ?? NOTHING);
    }
  }
  const runs = all.map((parts) => {
    const cuts: Stage[][] = [];
    for (const [i, part] of parts.entries()) {
      const last = parts[i - 1]?.id;
      const goesOn = last !== undefined && before.get(part.id)!.size === 1 && after.get(last)!.size === 1;
      if (goesOn) cuts.at(-1)!.push(part);
      else cuts.push([part]);
    }
    return cuts;
  });
  const fed = fedLinears(runs, members);
  return runs.map((own) =>
    own.map((parts) => ({
      id: parts[0].id,
      steps: parts.flatMap(({ step }) => step ?? []),
      head: parts.some(({ step }) => !step),
      fed: fed.get(parts[0].id) ?? [],
    })),
  );
}

/** Linears of each run, by its first part, to which a product of any member is added. */
function fedLinears(
  runs: readonly (readonly (readonly Stage[])[])[],
  members: readonly PoolMember[],
): Map<string, FedLinear[]> {
  const fed = new Map<string, FedLinear[]>();
  for (const [i, own] of runs.entries()) {
    const { weights } = members[i].model;
    for (const parts of own) {
      const some = fed.get(parts[0].id) ?? [];
      fed.set(parts[0].id, some);
      for (const [at, { step }] of parts.entries()) {
        for (const name of linearNames(weights.architecture)) {
          if (!step?.[moduleOf(name)] || !weights.lowRank?.({ layer: step.block, name })) continue;
          if (!some.some((each) => each.step === at && each.name === name)) some.push({ step: at, name });
        }
      }
    }
  }
  return fed;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Identities of blocks and heads, kept with their sources. */
class Identities {
  private readonly known = new WeakMap<WeightSource, Map<string, Promise<string>>>();

  /** @param byContent whether equal blocks of different files have one identity; the block is read for it */
  block(source: WeightSource, layer: number, byContent: boolean): Promise<string> {
    return this.keep(source, `${layer} ${byContent}`, async () => {
      const { architecture } = source;
      const { hidden, layers } = architecture;
      const about = JSON.stringify({ hidden, style: blockStyleKey(architecture), shape: layers[layer] });
      const own = source.blockIdentity?.(layer);
      if (own !== undefined) return `${about} ${own}`;
      const keys = layerKeys(architecture, layer);
      return `${about} ${byContent ? await hashOf(source, keys) : namesOf(source, keys)}`;
    });
  }

  head(source: WeightSource, byContent: boolean): Promise<string> {
    return this.keep(source, `head ${byContent}`, async () => {
      const { hidden, vocabulary } = source.architecture;
      const keys = ['finalNorm', 'head'] as const;
      const numbers = byContent ? await hashOf(source, keys) : namesOf(source, keys);
      return JSON.stringify({ hidden, style: headStyleKey(source.architecture), vocabulary, numbers });
    });
  }

  private keep(source: WeightSource, name: string, make: () => Promise<string>): Promise<string> {
    const own = this.known.get(source) ?? new Map<string, Promise<string>>();
    this.known.set(source, own);
    let identity = own.get(name);
    if (!identity) own.set(name, (identity = make()));
    return identity;
  }
}

const identities = new Identities();

/** The sources of the numbers, without products of low rank. */
const namesOf = (source: WeightSource, keys: readonly WeightKey[]): string =>
  keys.map((key) => `${originOf(source, key).identity} ${keyText(key)}`).join('\n');

/** Rows that are read at a time. */
const ROWS = 1024;

/** SHA-256 (hex) of the numbers, without products of low rank. */
async function hashOf(source: WeightSource, keys: readonly WeightKey[]): Promise<string> {
  const hash = createHash('sha256');
  for (const key of keys) {
    const base = source.lowRank?.(key)?.base ?? source;
    const [rows] = base.shape(key);
    hash.update(`\n${JSON.stringify(base.shape(key))}\n`);
    for (let start = 0; start < rows; start += ROWS) {
      const values = await base.read(key, { start, count: Math.min(ROWS, rows - start) });
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  }
  return hash.digest('hex');
}
