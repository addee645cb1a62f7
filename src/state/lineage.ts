/**
 * Which model was made from which, by the records in their folders: each stands below the model whose files its record names.
 * Records may lie, so that a circle of models has no order. Pure.
 */
import { dirname } from 'node:path';

/** A model, or an adapter, that may have been made from another model. */
export interface Listed {
  readonly path: string;
  /** Of its files; undefined for an adapter, from which no model is made by its files. */
  readonly identity?: string;
  /** Identity of the model that it was made from. */
  readonly madeFrom?: string;
}

/**
 * @param all everything that is listed
 * @param isBase whether others may stand below it
 * @returns the path of the model that each was made from, by its own path. What has none in the list is left out.
 */
export function parentsOf(all: readonly Listed[], isBase: (path: string) => boolean): ReadonlyMap<string, string> {
  const bases = all.filter(({ path }) => isBase(path));
  const parents = new Map<string, string>();
  for (const kin of all) {
    const parent = parentOf(kin, bases);
    if (parent) parents.set(kin.path, parent.path);
  }
  const turning = [...parents.keys()].filter((path) => isInCircle(path, parents));
  for (const path of turning) parents.delete(path);
  return parents;
}

/**
 * Identities from a model to its oldest known ancestor. A circle ends where it closes.
 * @param madeFrom what the model itself was made from
 * @param originOf what the model with an identity was made from
 */
export function lineOf(
  identity: string,
  madeFrom: string | undefined,
  originOf: (identity: string) => string | undefined,
): string[] {
  const line = [identity];
  for (let at = madeFrom; at !== undefined; at = originOf(at)) {
    const isCircle = line.includes(at);
    line.push(at);
    if (isCircle) break;
  }
  return line;
}

/** Of several copies of one model, the one that lies beside it, else the first. */
function parentOf({ path, identity, madeFrom }: Listed, bases: readonly Listed[]): Listed | undefined {
  if (madeFrom === undefined || madeFrom === identity) return undefined;
  const copies = bases.filter((base) => base.identity === madeFrom && base.path !== path);
  return copies.find((base) => dirname(base.path) === dirname(path)) ?? copies.at(0);
}

function isInCircle(path: string, parents: ReadonlyMap<string, string>): boolean {
  const seen = new Set<string>();
  for (let at = parents.get(path); at !== undefined && !seen.has(at); at = parents.get(at)) {
    if (at === path) return true;
    seen.add(at);
  }
  return false;
}
