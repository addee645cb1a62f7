/** What a record says of the run beside its results: inputs, settings, seed, device, versions. */
import { basename } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { onnxruntimeVersion } from '../onnx/session';
import type { ModelOptions } from '../model/model';
import { modelInput, type RunFacts, type RunInput } from './record';

/** What a command or job knows of its run beside the results. */
export interface RunDetails extends Pick<RunFacts, 'inputs' | 'settings' | 'seed' | 'device' | 'onnxruntime'> {
  /** Those whose weights the run read: it looks whether they stayed as they were. */
  readonly checkpoints?: readonly Checkpoint[];
}

/** The details of a run that computed with `checkpoint`; `device` is undefined when it needed no session. */
export function detailsOf(
  checkpoint: Checkpoint,
  options: Pick<ModelOptions, 'device' | 'threads' | 'memory'>,
  run: {
    readonly inputs?: readonly RunInput[];
    readonly settings: Readonly<Record<string, unknown>>;
    readonly seed?: number;
    readonly device?: unknown;
    /** Further ones, such as a teacher. */
    readonly checkpoints?: readonly Checkpoint[];
  },
): RunDetails {
  const { device = 'auto', threads = null, memory = null } = options;
  return {
    checkpoints: [checkpoint, ...(run.checkpoints ?? [])],
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
