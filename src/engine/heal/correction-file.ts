/** Files with the correction of a site: new weights under their names, and what the sums say of them. */
import { isObject, type JsonObject } from '../../format/json';
import type { Checkpoint } from '../checkpoint/types';
import { requireArchitecture } from '../checkpoint/open';
import { keysByName, weightOf } from '../checkpoint/weight-key';
import { FloatFile, unusable, writeFloats } from '../weights/float-file';
import type { KeyedPatch } from '../weights/patches';
import type { Correction } from './agreement';
import type { NewWeight } from './corrections';
import type { SiteShape } from './site-sums';
import { requireNote } from './sums-file';

/** −share · D; no weight of a model is called so. */
const NEGATIVE = 'negative';

/** Writes the file unless it is there. @throws UserError */
export async function writeCorrection(
  path: string,
  checkpoint: Checkpoint,
  { facts, changed, negative }: Correction,
  note: JsonObject,
  { inputs, outputs }: SiteShape,
): Promise<void> {
  const architecture = requireArchitecture(checkpoint);
  const weights = changed.map(({ key, values }) => ({ ...weightOf(architecture, key)!, values: () => values }));
  const whole = negative && { name: NEGATIVE, shape: [inputs, outputs], values: () => negative };
  await writeFloats(path, [...weights, ...(whole ? [whole] : [])], { ...note, facts });
}

/** @throws UserError for a file that is damaged, or of something else */
export async function readCorrection(
  path: string,
  checkpoint: Checkpoint,
  wanted: JsonObject,
  { inputs, outputs }: SiteShape,
): Promise<{ readonly correction: Correction; readonly patches: readonly KeyedPatch[] }> {
  const file = await FloatFile.open(path);
  requireNote(file, wanted);
  const { facts } = file.note;
  if (!isObject(facts)) throw unusable(path, 'its header does not say what was found');
  const keys = keysByName(requireArchitecture(checkpoint));
  const changed: NewWeight[] = [];
  const patches: KeyedPatch[] = [];
  for (const name of file.names.filter((each) => each !== NEGATIVE)) {
    const key = keys.get(name);
    if (key === undefined) throw unusable(path, `${name} is no weight of the model`);
    const { values, patch } = await file.weight(checkpoint, key);
    changed.push({ key, values });
    patches.push(patch);
  }
  const negative = file.names.includes(NEGATIVE) ? await file.read(NEGATIVE, [inputs, outputs]) : undefined;
  return { correction: { facts, changed, ...(negative && { negative }) }, patches };
}
