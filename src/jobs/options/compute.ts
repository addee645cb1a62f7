/** Device, threads and memory of a job. */
import { value } from '../../engine/option-token';
import type { DeviceChoice } from '../../engine/onnx/device';
import { QUANTIZED_LIMIT } from '../../engine/precision';
import { bytes, choice, folder, whole } from '../option';

/** The device: the fastest one, or one by name. */
export const DEVICES = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const satisfies readonly DeviceChoice[];

/** Options of every job that computes. The device never changes silently: the job uses the requested one or fails. */
export const compute = {
  device: choice(DEVICES, 'where to compute', {
    placeholder: 'name',
    default: 'auto',
    implied: true,
    machine: 'digits',
    setting: 'coppice.device',
  }),
  threads: whole('CPU threads', { machine: 'digits', setting: 'coppice.threads' }),
  memory: bytes(
    `budget for hidden states and batches, such as ${value('bytes', '2GB')} or ${value('bytes', '800MiB')}`,
    {
      placeholder: 'size',
      machine: 'speed',
      setting: 'coppice.memoryLimit',
    },
  ),
  quantizedFolder: folder(
    'keep quantized weights for the next time in this folder (default: in the user cache folder)',
    {
      machine: 'speed',
      setting: 'coppice.quantized.folder',
      hidden: true as const,
    },
  ),
  quantizedLimit: bytes('most that kept quantized weights may take on the disk; those used least recently go first', {
    placeholder: 'size',
    default: QUANTIZED_LIMIT,
    implied: true,
    machine: 'speed',
    setting: 'coppice.quantized.limit',
    hidden: true as const,
  }),
};

/** The same for jobs that compute with weights in blocks: their help shows where these are kept. */
export const quantized = {
  quantizedFolder: { ...compute.quantizedFolder, hidden: undefined },
  quantizedLimit: { ...compute.quantizedLimit, hidden: undefined },
};

/** The same for jobs that compute nothing, so that a caller can give the same options to every job. */
export const acceptedCompute = {
  device: { ...compute.device, hidden: true as const },
  threads: { ...compute.threads, hidden: true as const },
  memory: { ...compute.memory, hidden: true as const },
  quantizedFolder: compute.quantizedFolder,
  quantizedLimit: compute.quantizedLimit,
};
