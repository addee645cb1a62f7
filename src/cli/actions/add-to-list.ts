/** `coppice add-to --list`: every place, whether it is there, and where a model would go. */
import { UserError } from '../../engine/errors';
import { around, planFor } from '../../places/add';
import { modelAt, type ModelKind } from '../../places/model';
import type { Change, Place } from '../../places/place';
import { PLACES } from '../../places/places';
import type { Outcome, Shell } from '../execute';
import type { AddToOptions } from './add-to';
import { folderFor } from './add-to-page';

interface Row {
  readonly place: string;
  readonly title: string;
  readonly takes: ModelKind;
  readonly there: boolean;
  /** Its folder or program; with a model, what would be written. */
  readonly where?: string;
  readonly why?: string;
  readonly todo?: string;
}

/** @param model for which only the places that load it count */
export async function listPlaces(model: string | undefined, given: AddToOptions, shell: Shell): Promise<Outcome> {
  const kind = model === undefined ? undefined : (await modelAt(model)).kind;
  const rows: Row[] = [];
  for (const place of Object.values(PLACES)) rows.push(await rowOf(place, model, kind, given, shell));
  const width = Math.max(...rows.map(({ place }) => place.length)) + 2;
  return {
    json: { model: model ?? null, kind: kind ?? null, places: rows },
    page: rows.flatMap(({ place, where, why, todo }) => [
      shell.shown(`${place.padEnd(width)}${where ?? `no: ${why}`}`),
      ...(todo === undefined ? [] : [shell.style.dim(shell.shown(`${' '.repeat(width)}${todo}`))]),
    ]),
  };
}

async function rowOf(
  place: Place,
  model: string | undefined,
  kind: ModelKind | undefined,
  given: AddToOptions,
  { job }: Shell,
): Promise<Row> {
  const { name, title, takes } = place;
  const row = { place: name, title, takes };
  if (kind !== undefined && kind !== takes) return { ...row, there: false, why: `it loads ${LOADS[takes]}` };
  const where = around(place.hasFolder ? folderFor(place, given) : undefined);
  const found = await place.find(where);
  if (found.at === undefined) return { ...row, there: false, why: found.why, todo: found.todo };
  if (model === undefined) return { ...row, there: true, where: `${found.at} (${LOADS[takes]})` };
  try {
    const { change, name: own } = await planFor(place, model, where, given, job);
    return { ...row, there: true, where: placeOf(change, own) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...row, there: true, why: `${error.what}: ${error.why}`, todo: error.action };
  }
}

const LOADS: Readonly<Record<ModelKind, string>> = {
  gguf: 'GGUF files',
  onnx: 'ONNX folders',
  checkpoint: 'folders of checkpoints (safetensors)',
};

const placeOf = (change: Change, name: string): string =>
  change.kind === 'folder' ? change.out : change.kind === 'task' ? `${change.file}: ${name}` : `ollama create ${name}`;
