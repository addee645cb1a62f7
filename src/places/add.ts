/** Adds a model to a place: finds the place, plans, writes, and remembers what was written. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../engine/errors';
import { isThere } from '../engine/files/existing';
import { makeWorkingFolder } from '../engine/files/working-folder';
import { readSmallFile } from '../engine/files/regular-file';
import { writeWhole } from '../engine/files/whole-file';
import { command } from '../engine/option-token';
import { announce, type JobOptions } from '../engine/progress';
import { systemFailure } from '../engine/system-failure';
import { type Added, type Addition, remember } from './additions';
import { modelAt, type ModelKind, nameOf, type PlacedModel, requireName } from './model';
import type { Around, Change, FolderChange, OllamaChange, Place, Plan, TaskChange } from './place';
import { runProgram } from './run-program';
import { digestOf, withTask } from './tasks-file';
import { writeTree } from './write-tree';

export const around = (folder?: string, env = process.env): Around => ({
  env,
  home: homedir(),
  ...(folder !== undefined && { folder: resolve(folder) }),
});

export interface Wish {
  /** As the program is to show it; else made from the name of the file. */
  readonly name?: string;
}

/** The model, for this place. @throws UserError for one of another kind, with the command that writes the right one */
export async function modelFor(place: Place, path: string): Promise<PlacedModel> {
  const model = await modelAt(path);
  if (model.kind === place.takes) return model;
  throw new UserError(
    `${path} cannot be added to ${place.title}`,
    `it is ${KINDS[model.kind]}, and ${place.title} loads ${KINDS[place.takes]}`,
    `Write one with ${command('export', ...EXPORTS[place.takes])}.`,
  );
}

const KINDS: Readonly<Record<ModelKind, string>> = {
  gguf: 'a GGUF file',
  onnx: 'a folder of ONNX models',
  checkpoint: 'the folder of a checkpoint (safetensors)',
};

const EXPORTS: Readonly<Record<ModelKind, readonly string[]>> = {
  gguf: ['MODEL', '--format', 'gguf', '--type', 'q8_0', '--out', 'NAME.gguf'],
  onnx: ['MODEL', '--format', 'onnx', '--type', 'q4', '--out', 'FOLDER'],
  checkpoint: ['MODEL', '--format', 'safetensors', '--out', 'FOLDER'],
};

/** Writes nothing. @throws UserError where the place is not there, or does not take the model */
export async function planFor(place: Place, path: string, where: Around, wish: Wish, job: JobOptions): Promise<Plan> {
  const model = await modelFor(place, path);
  const found = await place.find(where);
  if (found.at === undefined) throw new UserError(`${place.title} is not here`, found.why, found.todo);
  const name = wish.name === undefined ? nameOf(model.path) : requireName(wish.name);
  const plan = { place: place.name, ...(await place.plan(model, found.at, name, job)) };
  await refuseTaken(plan.change, plan.name, job);
  return plan;
}

/** @throws UserError where something has the name already */
async function refuseTaken(change: Change, name: string, { signal }: JobOptions): Promise<void> {
  if (change.kind === 'task') {
    withTask(await textOf(change.file), change.task, change.file);
    return;
  }
  const isTaken =
    change.kind === 'folder' ? await isThere(change.out) : (await shownBy(change.program, name, signal)) !== undefined;
  if (!isTaken) return;
  throw new UserError(
    `${change.kind === 'folder' ? change.out : `The model ${name} of Ollama`} exists already`,
    'Coppice never overwrites',
    'Give it another name, or remove the other first.',
  );
}

export interface Done {
  readonly addition: Addition;
  /** Bytes that take no room twice. */
  readonly linked: number;
}

/** Writes what the plan says: all of it, or nothing. @throws UserError, CancelledError */
export async function add(plan: Plan, { env }: Around, job: JobOptions): Promise<Done> {
  const { place, name, model, change } = plan;
  const note: Note = async (added) => {
    const addition = { format: 1, place, name, source: model.path, at: new Date().toISOString(), added } as const;
    await remember(addition, env);
    return addition;
  };
  switch (change.kind) {
    case 'folder':
      return addFolder(change, model, note, job);
    case 'task':
      return addTask(change, note);
    case 'ollama':
      return addToOllama(change, name, note, job);
  }
}

type Note = (added: Added) => Promise<Addition>;

async function addFolder(
  change: FolderChange,
  { kind, path }: PlacedModel,
  note: Note,
  job: JobOptions,
): Promise<Done> {
  const sources = kind === 'gguf' ? [] : [path];
  const { target, made, entries, linked } = await writeTree(change, sources, job);
  const added = { kind: 'folder', out: target.out, made, entries } as const;
  try {
    const addition = await note(added); // first: what is there can then be removed, whatever happens
    await target.commit();
    return { addition, linked };
  } catch (error) {
    await target.discard();
    throw systemFailure(error) ?? error;
  }
}

/** A tasks.json has some kilobytes. */
const MOST_BYTES = 4 * 2 ** 20;

/** Undefined where there is none. A byte order mark stays. */
export const textOf = async (file: string): Promise<string | undefined> =>
  (await isThere(file)) ? (await readSmallFile(file, MOST_BYTES)).toString() : undefined;

async function addTask({ file, task }: TaskChange, note: Note): Promise<Done> {
  const before = await textOf(file);
  const text = withTask(before, task, file);
  const added = { kind: 'task', file, task, before: before ?? null, after: digestOf(text) } as const;
  try {
    await makeWorkingFolder(dirname(file));
    const addition = await note(added);
    // A link stays a link.
    await writeWhole(before === undefined ? file : await realpath(file), text);
    return { addition, linked: 0 };
  } catch (error) {
    throw systemFailure(error) ?? error;
  }
}

async function addToOllama(
  { program, modelfile }: OllamaChange,
  name: string,
  note: Note,
  job: JobOptions,
): Promise<Done> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-ollama-'));
  try {
    const file = join(folder, 'Modelfile');
    await writeWhole(file, modelfile);
    announce(job, 'ollama create');
    const { code, error } = await runProgram(program, ['create', name, '-f', file], job);
    if (code !== 0) throw new UserError(`ollama create ${name} failed`, error || `it ended with ${code}`, START);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const shown = (await shownBy(program, name, job.signal)) ?? '';
  const added = { kind: 'ollama', program, shown: digestOf(shown) } as const;
  return { addition: await note(added), linked: 0 };
}

const START = 'Check that Ollama runs: `ollama serve`.';

/** What Ollama says of a model; undefined where it has none of this name. @throws UserError when it does not answer */
export async function shownBy(program: string, name: string, signal?: AbortSignal): Promise<string | undefined> {
  const { code, out, error } = await runProgram(program, ['show', name, '--modelfile'], { signal });
  if (code === 0) return out;
  if (/not found/i.test(error)) return undefined;
  throw new UserError('Ollama does not answer', error || `it ended with ${code}`, START);
}
