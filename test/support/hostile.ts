/**
 * A repository that means ill, beside the folder of a user: links out of it, programs beside its models, a state and records
 * that lie. What is the user's is watched: it must not change, and no text of it may be told.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { temporaryFolder } from './temporary';

/** In every text of the user: no output may have it. */
export const SECRET = 'SENTINEL-b1f7';
const PRUNE = { criterion: 'magnitude', count: 1, keepEnds: false };

export interface HostileParts {
  /** Of the user. It is made. */
  readonly home: string;
  /** Beside it. It may be there, and be empty. */
  readonly repo: string;
  readonly model: string;
  /** Runs a command of Coppice that must succeed. */
  readonly coppice: (...args: string[]) => Promise<unknown>;
}

/** Makes both folders. */
export async function makeHostile(parts: HostileParts): Promise<void> {
  makeHome(parts);
  await makeRepository(parts);
}

function makeHome({ home, model }: HostileParts): void {
  cpSync(model, join(home, 'private/model'), { recursive: true });
  for (const name of [
    '.ssh/id',
    'projects/mine/thesis.txt',
    'notes.txt',
    'victim/answers.jsonl',
    'victim/result.json',
  ]) {
    write(join(home, name), `${SECRET} ${name}\n`.repeat(200));
  }
  mkdirSync(join(home, 'private/model.training'));
  write(join(home, 'record.json'), JSON.stringify({ schema: 1, kind: 'inspect', results: { text: SECRET } }));
}

async function makeRepository(parts: HostileParts): Promise<void> {
  const { home, repo, model, coppice } = parts;
  const recipe = (name: string, steps: object): string =>
    write(join(repo, `${name}.coppice.json`), JSON.stringify({ coppice: 1, model: './model', steps }));
  cpSync(model, join(repo, 'model'), { recursive: true });
  write(join(repo, 'text.txt'), 'The mill stands where it always stood.\n\n'.repeat(40));
  await coppice('export', join(repo, 'model'), '--out', join(repo, 'out/m.gguf'));
  for (const folder of ['model', 'out', '.']) plant(join(repo, folder));
  // A model and data that are the user's.
  cpSync(join(repo, 'model'), join(repo, 'linked'), { recursive: true });
  write(join(repo, 'linked/config.json'), readFileSync(join(repo, 'model/config.json'), 'utf8'));
  link(join(repo, 'linked/notes.json'), join(home, 'notes.txt'));
  link(join(repo, 'tasks/hellaswag_val.jsonl'), join(home, '.ssh/id'));
  // Where recipes write.
  link(join(repo, 'theft/.coppice'), '../../home');
  link(join(repo, '.coppice/steps/a'), '../../../home/victim');
  for (const name of ['steps', 'replaces']) recipe(name, { a: { job: 'prune', options: PRUNE } });
  recipe('tasks', { a: { job: 'tasks', options: { data: './tasks' } } });
  recipe('replaces', { a: { job: 'prune', options: { ...PRUNE, out: '../home/private/model' } } });
  cpSync(join(repo, 'model'), join(repo, 'theft/model'), { recursive: true });
  write(
    join(repo, 'theft/theft.coppice.json'),
    JSON.stringify({
      coppice: 1,
      model: './model',
      steps: { a: { job: 'prune', options: { ...PRUNE, out: '.coppice/projects/mine' } } },
    }),
  );
  await forgeState(parts);
  write(join(repo, 'run/run.json'), JSON.stringify(forgedRun('--kubeconfig=./evil')));
  const forged = { schema: 1, kind: 'eval', coppice: '0.1.0', started: '2026-01-01T00:00:00Z', seconds: 1 };
  const inputs = [{ role: 'text', name: '../home/notes.txt', path: '../../home/notes.txt', sha256: 'x' }];
  write(join(repo, 'records/a.json'), JSON.stringify({ ...forged, inputs, settings: {}, results: {} }));
}

/** Programs that say that they ran, under every name that something might start or import. */
function plant(folder: string): void {
  const ran = JSON.stringify(join(folder, 'x.ran'));
  const packages = ['onnxruntime', 'onnxruntime_genai', 'llama_cpp', 'transformers', 'torch', 'numpy'];
  for (const name of [...packages, 'json', 'site', 'modeling_own', 'sitecustomize', 'usercustomize']) {
    write(join(folder, `${name}.py`), `open(${ran}, 'w')\n`);
  }
  for (const name of ['node-llama-cpp', '@huggingface/transformers', 'onnxruntime-node']) {
    const place = join(folder, 'node_modules', name);
    write(join(place, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'x.js' }));
    write(join(place, 'x.js'), `require('fs').writeFileSync(${ran}, '')`);
  }
  for (const name of ['python', 'python3', 'node', 'llama-cli', 'llama-simple', 'kubectl', 'squeue', 'git']) {
    chmodSync(write(join(folder, name), `#!/bin/sh\necho "$0 $*, $(ps -o args= $PPID)" > ${ran}\n`), 0o755);
  }
}

/** A state that calls the user's model an output of the recipe, with its right digest. */
async function forgeState({ home, repo, coppice }: HostileParts): Promise<void> {
  const other = join(temporaryFolder(), basename(repo));
  cpSync(repo, other, { recursive: true, verbatimSymlinks: true });
  cpSync(join(home, 'private'), join(dirname(other), 'home/private'), { recursive: true });
  const steps = { a: { job: 'prune', options: { ...PRUNE, out: './x' } } };
  const file = write(join(other, 'replaces.coppice.json'), JSON.stringify({ coppice: 1, model: './model', steps }));
  await coppice('run', file);
  const state = JSON.parse(readFileSync(join(other, '.coppice/replaces/state.json'), 'utf8')) as {
    steps: { outputs: { path: string }[]; options: object }[];
    running?: object;
  };
  state.steps[0].outputs[0].path = '../home/private/model';
  state.steps[0].outputs.push({ ...state.steps[0].outputs[0], path: '../home/projects/mine' });
  const asides = [{ path: '../home/projects', aside: '../home/.projects.before.coppice-partial', seal: 'x' }];
  state.running = { step: 'a', key: 'x', outputs: ['../home/private/model'], asides, seal: 'x' };
  write(join(repo, '.coppice/replaces/state.json'), JSON.stringify(state));
  cpSync(join(other, '.coppice/replaces/a'), join(repo, '.coppice/replaces/a'), { recursive: true });
}

const forgedRun = (id: string): object => ({
  ...{ schema: 1, coppice: '0.1.0', kind: 'score', words: ['score', '/m'], parts: 1, scheduler: 'kubernetes' },
  ...{ asked: {}, command: ['coppice'], submissions: [{ id, parts: [1], at: '2026-01-01T00:00:00Z' }] },
});

/** Names, kinds, contents and modes of all that is in a folder. */
export function stateOf(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const { mode, mtimeMs } = lstatSync(path);
      const content = entry.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : entry.isSymbolicLink() && readlinkSync(path);
      return [relative(folder, path), mode, entry.isFile() && mtimeMs, content].join(' ');
    })
    .sort();
}

/**
 * Marks all files of a folder as never read.
 * @returns tells which were read since; none where the file system does not note it
 */
export function watchReads(folder: string): () => string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const file of files) utimesSync(file, 0, statSync(file).mtime);
  return () => files.filter((file) => statSync(file).atimeMs > 0);
}

/** The programs of a repository that have run: their traces, and what these say. */
export const ranIn = (repo: string): string[] =>
  readdirSync(repo, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ran'))
    .map((name) => `${name}: ${readFileSync(join(repo, name), 'utf8')}`);

/** @returns the place */
export function write(place: string, text: string): string {
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, text);
  return place;
}

export function link(place: string, target: string): void {
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(target, place);
}
