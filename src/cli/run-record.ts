/**
 * Where the record of a run may go. `--record FILE` names the place; without it no record is written, except that
 * `prune` always puts one into the model that it writes.
 */
import { access, constants, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import type { Checkpoint } from '../engine/checkpoint/types';
import { onnxruntimeVersion } from '../engine/onnx/session';
import { modelInput, type RunFacts, type RunInput } from '../engine/runs/record';
import type { ComputeOptions } from './options';

/** What a command knows of its run beside the results. */
export type RunDetails = Pick<RunFacts, 'inputs' | 'settings' | 'seed' | 'device' | 'onnxruntime'>;

/** The details of a run that computed with `checkpoint`; `device` is undefined when it needed no session. */
export function detailsOf(
  checkpoint: Checkpoint,
  options: Pick<ComputeOptions, 'device' | 'threads' | 'memory'>,
  run: {
    readonly inputs?: readonly RunInput[];
    readonly settings: Readonly<Record<string, unknown>>;
    readonly seed?: number;
    readonly device?: unknown;
  },
): RunDetails {
  const { device, threads = null, memory = null } = options;
  return {
    inputs: [modelInput(checkpoint), ...(run.inputs ?? [])],
    settings: { ...run.settings, device, threads, memory },
    seed: run.seed,
    device: run.device,
    onnxruntime: run.device === undefined ? undefined : onnxruntimeVersion(),
  };
}

/** A file as an input of a run: its name without the path, and the hash of its bytes. */
export const fileInput = (role: string, path: string, sha256: string): RunInput => ({
  role,
  name: basename(path),
  sha256,
});

/**
 * Refuses a place for a file that will be written at the end, before hours are spent on the run.
 * @param what the file is: "the record"
 * @param source the checkpoint that the run reads, which is never written to
 * @throws UserError
 */
export async function checkFileTarget(what: string, file: string, source: string | undefined): Promise<void> {
  const folder = dirname(resolve(file));
  const refuse = (why: string, cause?: unknown): UserError =>
    new UserError(`cannot write ${what} to ${file}`, why, 'Name a file in another folder.', { cause });
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const missing = systemErrorCode(error) === 'ENOENT';
    throw refuse(`the folder ${folder} ${missing ? 'does not exist' : 'cannot be written to'}`, error);
  }
  if (await isFolder(file)) throw refuse('it is a folder');
  if (source !== undefined && (await isFolder(source))) {
    const inside = relative(await realpath(source), join(await realpath(folder), basename(file)));
    if (inside !== '..' && !inside.startsWith(`..${sep}`)) {
      throw refuse('it lies inside the checkpoint, which is never written to');
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // whoever reads it says what is wrong
  }
}
