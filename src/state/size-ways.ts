/** What each way to a goal's size would take and cost: sizes come from a function, costs from runs. Does not use VS Code. */
import { requireArchitecture } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { numeric } from '../format/json';
import type { Shipped } from '../estimates/written-bytes';
import { mostForSize } from '../engine/importance/count';
import { type Chosen, fitting, smallest } from '../recipes/init/choose';
import type { ShipGoal } from '../protocol/journey';
import type { RunDigest, VocabularyDigest } from '../protocol/panel';
import type { BitsWay, BlocksWay, SizeWays, TogetherWay, VocabularyWay, WayCost } from '../protocol/size-ways';
import { bitsBeside } from './measured';

/** A size goal of a model. */
export type SizeGoal = Pick<ShipGoal, 'format' | 'type'> & Required<Pick<ShipGoal, 'maxBytes'>>;

export interface WaysKnown {
  readonly checkpoint: Checkpoint;
  readonly goal: SizeGoal;
  /** The types of the goal's format; undefined keeps every weight's type. */
  readonly types: readonly (string | undefined)[];
  /** The newest report on the model's vocabulary. */
  readonly report?: { readonly run: string; readonly digest: VocabularyDigest };
  /** What all runs found, newest first. */
  readonly runs: readonly RunDigest[];
  /** Identity of the newest model that was exported from this one, whole, in the goal's format and a type. */
  readonly exported: (type: string | undefined) => string | undefined;
  /** The bytes of what ships. @throws UserError for what the format cannot hold */
  readonly sizeOf: (shipped: Shipped) => Promise<number>;
}

/** @returns undefined where the whole model fits already @throws UserError for a format that cannot hold the model */
export async function sizeWays(known: WaysKnown): Promise<SizeWays | undefined> {
  const { goal, sizeOf } = known;
  const { format, type, maxBytes: limit } = goal;
  const bytes = await sizeOf({ format, type, removed: [] });
  if (bytes <= limit) return undefined;
  const coarser = await coarserTypes(known, bytes);
  const vocabulary = await vocabularyWay(known);
  const blocks = await blocksWay(known);
  const bits = bitsWay(known, coarser);
  const together = await togetherWay(known, coarser, { vocabulary, blocks, bits });
  return { limit, bytes, vocabulary, blocks, bits, together };
}

interface TypeBytes {
  readonly type: string | undefined;
  readonly bytes: number;
}

/** Types in which the whole model is smaller, from the finest. */
async function coarserTypes({ goal: { format }, types, sizeOf }: WaysKnown, bytes: number): Promise<TypeBytes[]> {
  const all = await Promise.all(
    types.map(async (type) => ({ type, bytes: await sizeOf({ format, type, removed: [] }).catch(unlessRefused) })),
  );
  return all
    .flatMap(({ type, bytes: own }) => (own === undefined || own >= bytes ? [] : [{ type, bytes: own }]))
    .sort((a, b) => b.bytes - a.bytes);
}

function unlessRefused(error: unknown): undefined {
  if (error instanceof UserError) return undefined;
  throw error;
}

/** By the report's own least count if that is enough, else by the lowest that is; by the own one where none is. */
async function vocabularyWay({ goal, report, sizeOf }: WaysKnown): Promise<VocabularyWay | null> {
  if (!report) return null;
  const { run, digest } = report;
  const { heldOut, min, kept, size } = digest;
  const own = { min, kept, coverage: heldOut.pieces === 0 ? null : heldOut.coverage };
  const others = digest.rows.filter((row) => row.min > min).sort((a, b) => a.min - b.min);
  const { format, type, maxBytes } = goal;
  const sizes: (typeof own & { readonly bytes: number })[] = [];
  for (const row of [own, ...others]) {
    const bytes = await sizeOf({ format, type, removed: [], tokens: row.kept });
    sizes.push({ min: row.min, kept: row.kept, coverage: row.coverage, bytes });
    if (bytes <= maxBytes) break;
  }
  const found = sizes.find(({ bytes }) => bytes <= maxBytes) ?? sizes[0];
  const growth = found.min === min ? numeric(heldOut.bits?.growth ?? 'NaN') : NaN;
  const cost = Number.isFinite(growth) ? { growth, ...(heldOut.file !== undefined && { text: heldOut.file }) } : null;
  return { run, ...found, of: size, fits: found.bytes <= maxBytes, cost };
}

async function blocksWay({ checkpoint, goal, runs, sizeOf }: WaysKnown): Promise<BlocksWay> {
  const architecture = requireArchitecture(checkpoint);
  const { format, type, maxBytes } = goal;
  const of = architecture.layers.length;
  const without = (count: number): Promise<number> => sizeOf({ format, type, removed: smallest(architecture, count) });
  const found = await fitting(architecture, maxBytes, [type], (_, count) => without(count)).catch(unlessRefused);
  const count = found?.removes ?? mostForSize(of);
  const bytes = found?.bytes ?? (await without(count));
  return { count, of, bytes, fits: found !== undefined, cost: curveCost(runs, checkpoint.identity, count) ?? null };
}

/** Of the newest curve of the whole model that has so many blocks removed: unhealed, and on the curve's own text. */
function curveCost(runs: readonly RunDigest[], identity: string, count: number): WayCost | undefined {
  for (const { model, curve, removed, adapter } of runs) {
    if (!curve || model.identity !== identity || removed.length > 0 || adapter !== undefined) continue;
    const at = (wanted: number): number => numeric(curve.points.find((each) => each.count === wanted)?.ppl ?? 'NaN');
    // Bits per byte are in the ratio of the losses, whatever bytes a token has.
    const growth = Math.log(at(count)) / Math.log(at(0)) - 1;
    if (Number.isFinite(growth)) return { growth, text: curve.text };
  }
  return undefined;
}

function bitsWay(
  { checkpoint: { identity }, goal: { maxBytes }, runs, exported }: WaysKnown,
  coarser: readonly TypeBytes[],
): BitsWay | null {
  const found = coarser.find(({ bytes }) => bytes <= maxBytes) ?? coarser.at(-1);
  if (!found) return null;
  const { type, bytes } = found;
  const made = exported(type);
  const measured = made === undefined ? undefined : bitsBeside(runs, { identity: made, removed: [] }, identity).at(0);
  const cost = measured ? { growth: measured.growth, text: measured.text } : null;
  return { ...(type !== undefined && { type }), bytes, fits: bytes <= maxBytes, cost };
}

/** Fewer tokens, and as few blocks as are enough in the goal's type; where a third of them is not, coarser types. */
async function togetherWay(
  { checkpoint, goal, sizeOf }: WaysKnown,
  coarser: readonly TypeBytes[],
  { vocabulary, blocks, bits }: Pick<SizeWays, 'vocabulary' | 'blocks' | 'bits'>,
): Promise<TogetherWay | null> {
  if (vocabulary?.fits || (!vocabulary && (bits === null || bits.fits))) return null;
  const { format, maxBytes } = goal;
  const architecture = requireArchitecture(checkpoint);
  const types = [goal.type, ...coarser.map(({ type }) => type)];
  const tokens = vocabulary?.kept;
  const size = (type: string | undefined, count: number): Promise<number> =>
    sizeOf({ format, type, removed: smallest(architecture, count), tokens });
  // The user has named a type, so that it stays where it can.
  let found: Chosen | undefined;
  for (const some of [[goal.type], types])
    found ??= await fitting(architecture, maxBytes, some, size).catch(unlessRefused);
  const type = found ? found.type : types.at(-1);
  const count = found?.removes ?? mostForSize(blocks.of);
  return {
    ...(tokens !== undefined && { kept: tokens }),
    ...(type !== undefined && { type }),
    ...{ count, bytes: found?.bytes ?? (await size(type, count)), fits: found !== undefined },
  };
}
