/** Whether a device and a job can compute in a precision. A precision that was asked for is never replaced silently. */
import { UserError } from '../errors';
import { option, set } from '../option-token';
import type { PrecisionChoice } from '../precision';
import { bfloat16Fault } from './bfloat16-trial';
import { type HalfTrial, tryHalf } from './device-trial';
import type { Provider } from './session';

/** What half precision is good for on each device of this machine. */
const halves = new Map<Provider, Promise<HalfTrial>>();

/**
 * Refuses a precision that a job does not offer or a device does not have. `auto` always passes: the job chooses.
 *
 * float16 needs a GPU with half precision, which is found out by a product in a separate process, once for each device.
 * bfloat16 needs a CPU on which a product in this process is one of bfloat16. int8 and int4 need the CPU.
 * @param allowed what the job can do
 * @throws UserError that says what to do
 */
export async function requirePrecision(
  precision: PrecisionChoice,
  { provider }: { readonly provider: Provider },
  allowed: readonly PrecisionChoice[],
): Promise<void> {
  if (precision === 'auto') return;
  if (!allowed.includes(precision)) {
    const others = allowed.filter((each) => each !== 'auto');
    const [last, ...first] = [...others].reverse();
    const known = first.length > 0 ? `${first.reverse().join(', ')} or ${last}` : last;
    throw new UserError(
      `${precision} is no precision of this job`,
      `it computes in ${known}`,
      `Leave out ${option('precision')}, or ${set('precision', others[0])}.`,
    );
  }
  if (precision === 'float16') await halfOn(provider);
  else if (precision === 'bfloat16') await requireBfloat16(provider);
  else if ((precision === 'int8' || precision === 'int4') && provider !== 'cpu') {
    throw new UserError(
      `${precision} cannot be computed on ${provider}`,
      'integer products run on the CPU',
      `${set('device', 'cpu')}, or ${set('precision', 'float16')}.`,
    );
  }
}

async function requireBfloat16(provider: Provider): Promise<void> {
  if (provider !== 'cpu') {
    throw new UserError(
      `bfloat16 cannot be computed on ${provider}`,
      'such products run on the CPU, on Linux for arm64',
      `${set('precision', 'float16')}, or ${set('precision', 'float32')}.`,
    );
  }
  const fault = await bfloat16Fault();
  if (fault === undefined) return;
  throw new UserError('bfloat16 cannot be computed on this machine', fault, `${set('precision', 'float32')}.`);
}

/**
 * What half precision is good for on a device.
 * @throws UserError on the CPU, and for a GPU without it
 */
export async function halfOn(provider: Provider): Promise<HalfTrial> {
  if (provider === 'cpu') {
    throw new UserError(
      'float16 cannot be computed on the CPU',
      'its products are float32, and half precision would only lose digits there',
      `${set('precision', 'float32')}, or name a GPU (${option('device', 'webgpu')}).`,
    );
  }
  let trial = halves.get(provider);
  if (!trial) halves.set(provider, (trial = tryHalf(provider)));
  const half = await trial;
  if (half.error === undefined) return half;
  halves.delete(provider); // a driver may be repaired, or may have been busy
  throw new UserError(
    `float16 cannot be computed on ${provider}`,
    `the device has no half precision that is good enough: ${half.error}`,
    `${set('precision', 'float32')}, or name another device (${option('device')}).`,
  );
}
