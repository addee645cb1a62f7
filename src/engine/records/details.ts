/** The details of a run besides its results: inputs, settings, seed, device, versions. */
import { basename, resolve } from 'node:path';
import { type TextShare, withShare } from '../../format/text-share';
import type { Checkpoint } from '../checkpoint/types';
import { onnxruntimeVersion } from '../onnx/session';
import type { ModelOptions } from '../model/model';
import type { RunPrecision } from '../precision';
import { modelInput, type RunFacts, type RunInput } from './record';

/** The details that a command or job provides. */
export interface RunDetails extends Pick<
  RunFacts,
  'inputs' | 'settings' | 'seed' | 'device' | 'precision' | 'onnxruntime'
> {
  /** Checkpoints whose weights the run read. Changes of their files during the run are noted. */
  readonly checkpoints?: readonly Checkpoint[];
}

/** The details of a run that computed with `checkpoint`; `device` is undefined if the run needed no session. */
export function detailsOf(
  checkpoint: Checkpoint,
  options: Pick<ModelOptions, 'device' | 'threads' | 'memory'>,
  run: {
    readonly inputs?: readonly RunInput[];
    readonly settings: Readonly<Record<string, unknown>>;
    readonly seed?: number;
    readonly device?: unknown;
    /** float32 unless it is given. */
    readonly precision?: RunPrecision;
    /** Other inputs, such as a teacher. */
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
    precision: run.device === undefined ? undefined : (run.precision ?? 'float32'),
    onnxruntime: run.device === undefined ? undefined : onnxruntimeVersion(),
  };
}

/** A file as an input of a run: its name without the path, the hash of its bytes, and the share that was read. */
export const fileInput = (role: string, path: string, sha256: string, share?: TextShare): RunInput => ({
  role,
  name: basename(resolve(path)),
  sha256,
  ...withShare(share),
});
