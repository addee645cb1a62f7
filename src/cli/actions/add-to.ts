/** `coppice add-to`: what it does, and its pages. */
import { resolve } from 'node:path';
import { UserError } from '../../engine/errors';
import { add, around, modelFor, planFor } from '../../places/add';
import { additions } from '../../places/additions';
import { nameOf } from '../../places/model';
import { PLACE_NAMES, type Place, type PlaceName } from '../../places/place';
import { PLACES } from '../../places/places';
import { undo } from '../../places/undo';
import { formatBytes } from '../../format/numbers';
import { quotedHere } from '../../format/shell';
import type { Outcome, Shell } from '../execute';
import { UsageError } from '../failure';
import type { CommonOptions } from '../options';
import { listPlaces } from './add-to-list';
import { changeJson, changeLines, folderFor } from './add-to-page';

export interface AddToOptions extends CommonOptions {
  readonly name?: string;
  readonly folder?: string;
  readonly dryRun?: true;
  readonly undo?: true;
  readonly list?: true;
}

/** @throws UserError, UsageError, CancelledError */
export async function addTo(
  named: string | undefined,
  model: string | undefined,
  given: AddToOptions,
  shell: Shell,
): Promise<Outcome> {
  if (given.list === true || named === undefined)
    return listPlaces(given.list ? (model ?? named) : model, given, shell);
  const place = PLACES[placeNamed(named)];
  if (given.undo) return takeBack(place, model, given, shell);
  if (model === undefined)
    throw new UsageError('No model is named', 'the argument <model> is missing', 'Name the exported file or folder.');
  if (given.folder !== undefined && !place.hasFolder) {
    throw new UsageError(
      '--folder cannot be used',
      `${place.title} keeps its models in a store of its own`,
      'Leave it out.',
    );
  }
  const where = around(folderFor(place, given));
  const found = await place.find(where);
  if (found.at === undefined && place.byHand) return byHand(place, model, given, found.why, shell);
  const plan = await planFor(place, model, where, given, shell.job);
  const { notes } = plan;
  if (given.dryRun) {
    return {
      json: { place: place.name, name: plan.name, dryRun: true, ...changeJson(plan.change), use: plan.use, notes },
      page: [...changeLines(plan, 'would write', shell), ...notes, 'Nothing was written.'],
    };
  }
  const { linked } = await add(plan, where, shell.job);
  notes.forEach(shell.note);
  const undoLine = `coppice add-to ${place.name} ${quotedHere(model)} --undo`;
  return {
    json: {
      place: place.name,
      name: plan.name,
      ...changeJson(plan.change),
      linkedBytes: linked,
      use: plan.use,
      undo: undoLine,
      notes,
    },
    page: [
      `Added ${shell.style.bold(shell.shown(plan.name))} to ${place.title}.`,
      ...changeLines(plan, 'written', shell),
      ...(linked > 0 ? [`linked       ${formatBytes(linked)}, which take no room twice`] : []),
      `use          ${shell.shown(plan.use)}`,
      `undo         ${shell.shown(undoLine)}`,
    ],
  };
}

/** @throws UsageError with all names */
function placeNamed(name: string): PlaceName {
  const known = PLACE_NAMES.find((each) => each === name);
  if (known) return known;
  throw new UsageError(`${name} is not a place`, `these are: ${PLACE_NAMES.join(', ')}`, 'Name one of them.');
}

/** The file and the line, for a machine that has the program. It counts as not done. */
async function byHand(
  place: Place,
  path: string,
  given: AddToOptions,
  why: string,
  { shown }: Shell,
): Promise<Outcome> {
  const model = await modelFor(place, path);
  const { file, line } = await place.byHand!(model, given.name ?? nameOf(model.path));
  return {
    json: { place: place.name, done: false, why, file, line },
    page: [
      `${place.title} is not here: ${why}. Save this as ${shown(file.name)}:`,
      '',
      ...file.text.trim().split('\n').map(shown),
      '',
      'and run, where the program is:',
      '',
      `  ${shown(line)}`,
    ],
    failed: true,
  };
}

async function takeBack(
  place: Place,
  model: string | undefined,
  given: AddToOptions,
  { job, shown }: Shell,
): Promise<Outcome> {
  const { env } = around();
  const own = (await additions(env)).filter((each) => each.place === place.name);
  const fitting = own.filter(
    ({ name, source }) =>
      (model === undefined || source === resolve(model) || name === model) &&
      (given.name === undefined ||
        name === given.name ||
        name.endsWith(`/${given.name}`) ||
        name.endsWith(` ${given.name}`)),
  );
  if (fitting.length !== 1) throw notOne(place, fitting.length > 0 ? fitting : own, fitting.length > 0);
  const [addition] = fitting;
  const { removed, left } = await undo(addition, env, job);
  return {
    json: { place: place.name, name: addition.name, removed, left },
    page: [
      `Took ${shown(addition.name)} from ${place.title}.`,
      ...removed.map((path) => `removed      ${shown(path)}`),
      ...left.map(({ path, why }) => `left         ${shown(path)}: ${why}`),
      ...(removed.length + left.length === 0 ? ['It was not there any more.'] : []),
    ],
    ...(left.length > 0 && { failed: true }),
  };
}

function notOne({ title }: Place, known: readonly { readonly name: string }[], several: boolean): UserError {
  const names = [...new Set(known.map(({ name }) => name))].join(', ');
  if (several)
    return new UserError('Several models fit', `Coppice added these to ${title}: ${names}`, 'Name one with --name.');
  const why =
    names === '' ? `Coppice remembers nothing that it added to ${title}` : `Coppice added these to ${title}: ${names}`;
  return new UserError('There is nothing to take back', why, 'Name one of them; or remove it with the program itself.');
}
