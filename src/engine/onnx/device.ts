/** Which execution provider computes, and why. */
import type { Provider } from './session';

export type DeviceChoice = 'auto' | Provider;

/** What works, in words that can be shown. */
export interface DeviceReport {
  readonly provider: Provider;
  /** Why this one, and why no better one. */
  readonly why: string;
}

/** Picks the provider for `choice`. */
export function chooseDevice(choice: DeviceChoice): Promise<DeviceReport> {
  const provider = choice === 'auto' ? 'cpu' : choice;
  return Promise.resolve({ provider, why: choice === 'auto' ? 'the CPU is always there' : `asked for: ${choice}` });
}
