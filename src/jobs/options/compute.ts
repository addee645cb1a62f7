/** Device, threads and memory of a job. */
import type { DeviceChoice } from '../../engine/onnx/device';
import { bytes, choice, whole } from '../option';

/** The device: the fastest one, or one by name. */
export const DEVICES = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const satisfies readonly DeviceChoice[];

/** Options of every job that computes. The device never changes silently: the job uses the requested one or fails. */
export const compute = {
  device: choice(DEVICES, 'where to compute', {
    placeholder: 'name',
    default: 'auto',
    implied: true,
    setting: 'coppice.device',
  }),
  threads: whole('CPU threads', { setting: 'coppice.threads' }),
  memory: bytes('budget for hidden states and batches, such as 2GB or 800MiB', {
    placeholder: 'size',
    setting: 'coppice.memoryLimit',
  }),
};

/** The same for jobs that compute nothing, so that a caller can give the same options to every job. */
export const acceptedCompute = {
  device: { ...compute.device, hidden: true as const },
  threads: { ...compute.threads, hidden: true as const },
  memory: { ...compute.memory, hidden: true as const },
};
