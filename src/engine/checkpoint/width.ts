/**
 * The width of a model: which attention heads and FFN neurons of each block are kept. Heads come in groups, a key-value
 * head with its query heads, because query heads of a group share keys and values. With r = heads / kvHeads query heads
 * of d numbers each, group g has rows g·r·d … (g+1)·r·d − 1 of q and these columns of o, and rows g·d … (g+1)·d − 1 of k
 * and v. A neuron has one row of gate and up, and one column of down. Where a norm covers all heads at once, all of them are
 * one group, because the others would change without some.
 */
import { createHash } from 'node:crypto';
import { type Architecture, type LinearName, LINEARS_IN_ORDER } from './architecture';
import { plainLayer, type PlainShape, plainShape } from './kinds/plain';
import type { Checkpoint } from './types';
import { requireArchitecture } from './open';

/** What is kept of a block, 0-based and ascending. At least one group and one neuron. */
export interface LayerWidth {
  readonly groups: readonly number[];
  readonly neurons: readonly number[];
}

/** Added to what o_proj and down_proj of a block give, on top of their own biases: (hidden) each. */
export interface LayerBiases {
  readonly o: Float32Array;
  readonly down: Float32Array;
}

export interface Width {
  /** One for each block. */
  readonly layers: readonly LayerWidth[];
  /** The mean of what was removed, one pair for each block (FLAP); undefined without compensation. */
  readonly biases?: readonly LayerBiases[];
}

/** A checkpoint that is used narrower than it is stored. */
export interface Narrowing {
  readonly width: Width;
  /** The checkpoint as it is stored. */
  readonly from: Checkpoint;
  /** See `digestOfWidth`. */
  readonly digest: string;
}

/** Whether heads of a block can go without the others. */
export const losesHeads = ({ qkNorm }: Pick<PlainShape, 'qkNorm'>): boolean => qkNorm !== 'width';

/** Groups of heads in a block. */
export const groupsOf = (shape: Pick<PlainShape, 'kvHeads' | 'qkNorm'>): number =>
  losesHeads(shape) ? shape.kvHeads : 1;

/** Everything of every block. */
export function fullWidth({ layers }: Architecture): Width {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
  return {
    layers: layers.map(plainShape).map((shape) => ({ groups: upTo(groupsOf(shape)), neurons: upTo(shape.ffn) })),
  };
}

/** The model with only what `width` keeps. @throws Error for a width of another model */
export function narrowArchitecture(architecture: Architecture, width: Width): Architecture {
  requireWidth(architecture, width);
  const { layers, biases } = width;
  const counts = layers.map(({ groups, neurons }) => ({ groups: groups.length, neurons: neurons.length }));
  return withCounts(architecture, counts, !!biases);
}

/** How many groups and neurons of a block are kept. */
export interface UnitCounts {
  readonly groups: number;
  readonly neurons: number;
}

/**
 * The model with so many groups and neurons in each block.
 * @param compensated o and down have a bias, whatever they had before
 */
export const withCounts = (
  architecture: Architecture,
  counts: readonly UnitCounts[],
  compensated: boolean,
): Architecture => ({
  ...architecture,
  layers: architecture.layers.map((shape, i) => plainLayer(narrowShape(plainShape(shape), counts[i], compensated))),
});

function narrowShape(shape: PlainShape, { groups, neurons }: UnitCounts, compensated: boolean): PlainShape {
  const all = groupsOf(shape);
  const biases = compensated
    ? LINEARS_IN_ORDER.filter((name) => COMPENSATED.has(name) || shape.biases.includes(name))
    : shape.biases;
  const [heads, kvHeads] = [(shape.heads / all) * groups, (shape.kvHeads / all) * groups];
  return { ...shape, heads, kvHeads, ffn: neurons, biases };
}

const COMPENSATED: ReadonlySet<LinearName> = new Set(['o', 'down']);

function requireWidth({ layers, hidden }: Architecture, { layers: kept, biases }: Width): void {
  const fail = (why: string): never => {
    throw new Error(`a width of another model: ${why}`);
  };
  if (kept.length !== layers.length) fail(`${kept.length} blocks in place of ${layers.length}`);
  kept.forEach(({ groups, neurons }, i) => {
    const own = plainShape(layers[i]);
    if (!isSelection(groups, groupsOf(own))) fail(`groups of block ${i}`);
    if (!isSelection(neurons, own.ffn)) fail(`neurons of block ${i}`);
  });
  if (!biases) return;
  if (biases.length !== layers.length) fail(`biases of ${biases.length} blocks`);
  if (biases.some(({ o, down }) => o.length !== hidden || down.length !== hidden)) fail('length of a bias');
}

/** Whether the numbers are ascending, in range, and at least one. */
export const isSelection = (kept: readonly number[], count: number): boolean =>
  kept.length > 0 && kept.every((n, i) => Number.isInteger(n) && n > (i === 0 ? -1 : kept[i - 1]) && n < count);

/** SHA-256 (hex) of everything in a width. */
export function digestOfWidth({ layers, biases }: Width): string {
  const hash = createHash('sha256').update('coppice width 1');
  for (const { groups, neurons } of layers) hash.update(`\n${groups.join(' ')}\n${neurons.join(' ')}`);
  for (const { o, down } of biases ?? []) {
    for (const { buffer, byteOffset, byteLength } of [o, down]) {
      hash.update('\n').update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest('hex');
}

/** The identity of a checkpoint of this identity when it is narrowed to the width with this digest. */
export const narrowedIdentity = (identity: string, digest: string): string =>
  createHash('sha256').update(`coppice narrowed 1\n${identity}\n${digest}`).digest('hex');

/** The width among the settings of a record; nothing for the full width. */
export const widthSetting = ({ narrowing }: Pick<Checkpoint, 'narrowing'>): { readonly width?: string } =>
  narrowing ? { width: narrowing.digest } : {};

/**
 * The checkpoint as a narrower model. Everything that computes with a checkpoint computes with it; its files are the
 * same, and nothing is written.
 * @throws UserError for a checkpoint that can only be inspected; Error for a width of another model
 */
export function narrowCheckpoint(checkpoint: Checkpoint, width: Width): Checkpoint {
  if (checkpoint.narrowing) throw new Error('the checkpoint is narrowed already');
  const digest = digestOfWidth(width);
  const identity = narrowedIdentity(checkpoint.identity, digest);
  const architecture = narrowArchitecture(requireArchitecture(checkpoint), width);
  return { ...checkpoint, architecture, identity, narrowing: { width, from: checkpoint, digest } };
}

/** The checkpoint as it is stored. */
export const asStored = (checkpoint: Checkpoint): Checkpoint => checkpoint.narrowing?.from ?? checkpoint;
