/** The results of pruning in width, in a record of kind "width", for display. */
import { defined } from '../../format/defined';
import type { JsonObject } from '../../format/json';
import type { NarrowerDigest } from '../../engine/records/digest-types';
import { finite, jsonNumber, objects, text } from '../../engine/records/fields';

/** Undefined if the record does not name the method. */
export function narrowerOf(results: JsonObject): NarrowerDigest | undefined {
  const method = text(results.method);
  if (method === undefined) return undefined;
  const [meanNll, ppl] = [jsonNumber(results.meanNll), jsonNumber(results.ppl)];
  return {
    method,
    ratio: finite(results.ratio),
    ...defined({ meanNll, ppl }),
    layers: objects(results.layers).map(({ groups, neurons }) => ({
      groups: counted(groups),
      neurons: counted(neurons),
    })),
  };
}

/** Records list what is kept, or count it. */
const counted = (kept: unknown): number => (Array.isArray(kept) ? kept.length : (finite(kept) ?? 0));
