/** The base model of a checkpoint that Coppice wrote, by the record in its folder or in its GGUF file. Each record is read once. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReadText, withShare } from '../format/text-share';
import { isGguf } from '../engine/formats/gguf/file';
import { usedTexts } from '../engine/records/calibrations';
import { entries } from '../engine/records/fields';
import { recordKind } from '../engine/records/kinds';
import { recordAt } from '../engine/records/in-gguf';
import { RECORD_NAME, type RunRecord } from '../engine/records/record';

/** The base model of another model. */
export interface Origin {
  readonly name: string;
  readonly identity: string;
  /** How the other model was made: "prune", "heal", "iterate", "vocabulary", "merge", "retrain", "export". */
  readonly kind: string;
  /** Name of the adapter that was merged. */
  readonly adapter?: string;
  /** Of an export: "q8_0"; "stored" where each weight keeps its type. */
  readonly type?: string;
  /** ISO 8601, UTC. */
  readonly finished: string;
  /** Removed blocks, ascending. */
  readonly removed: readonly number[];
  /** Texts that chose its blocks or fitted its weights, also those of its ancestors. */
  readonly texts: readonly ReadText[];
  /** The weights of the others were corrected in closed form. */
  readonly healed?: true;
  /** Tokens of the base model, of which this one has a part. */
  readonly trimmedFrom?: number;
}

export class Origins {
  private readonly known = new Map<string, { readonly stamp: string; readonly origin?: Origin }>();

  /**
   * @param place the model's folder or GGUF file
   * @returns undefined for one without a record, which is the usual case
   */
  async of(place: string): Promise<Origin | undefined> {
    const file = (await isGguf(place)) ? place : join(place, RECORD_NAME);
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    const stamp = `${found.size} ${found.mtimeMs}`;
    const known = this.known.get(file);
    if (known?.stamp === stamp) return known.origin;
    const record = await recordAt(place);
    const origin = record && originIn(record);
    this.known.set(file, { stamp, origin });
    return origin;
  }
}

function originIn(record: RunRecord): Origin | undefined {
  const { kind, inputs, settings, results, finished } = record;
  const model = inputs.find(({ role }) => role === 'model');
  if (typeof model?.identity !== 'string') return undefined;
  // An adapter changes no blocks: what it was trained without is a setting of its training.
  const removed = entries(results.removed ?? settings.removed).filter((block) => typeof block === 'number');
  // The digest of the new weights: there is none if healing was no better and the plain ones were kept.
  const healed = recordKind(kind).heals && typeof settings.healed === 'string' && { healed: true as const };
  const blocks = removed.sort((a, b) => a - b);
  const adapter = inputs.find(({ role }) => role === 'adapter');
  return {
    name: model.name,
    identity: model.identity,
    kind,
    finished,
    removed: blocks,
    texts: usedTexts(record).flatMap(({ sha256, share }) =>
      sha256 === undefined ? [] : [{ sha256, ...withShare(share) }],
    ),
    ...(adapter && { adapter: adapter.name }),
    ...(typeof settings.type === 'string' && { type: settings.type }),
    ...healed,
    ...(kind === 'vocabulary' && typeof results.size === 'number' && { trimmedFrom: results.size }),
  };
}
