/** Errors on their way from the sidecar to the host, and results as plain JSON. */
import { CancelledError, DeviceError, UserError } from '../engine/errors';
import { stringifyJson } from '../engine/json';
import { systemFailure } from '../engine/system-failure';
import type { WireError } from '../protocol/errors';

/** An error of the sidecar that is a fault of the program, as the host sees it. */
export class SidecarBug extends Error {
  override readonly name = 'SidecarBug';
  constructor(
    message: string,
    /** Where it was thrown, in the sidecar. */
    readonly remoteStack?: string,
    /** The same may work on the CPU. */
    readonly offer?: 'cpu',
  ) {
    super(message);
  }
}

/** What crosses for `error`. @param onGpu it was thrown while a GPU computed, so the CPU is an alternative */
export function toWire(error: unknown, onGpu = false): WireError {
  if (error instanceof CancelledError || (error instanceof Error && error.name === 'AbortError')) {
    return { kind: 'cancelled' };
  }
  const known = error instanceof UserError ? error : systemFailure(error);
  if (known) {
    const { what, why, action } = known.texts; // the host names options in its own words
    return { kind: 'user', what, why, action, ...(known instanceof DeviceError && { offer: 'cpu' as const }) };
  }
  const offer = onGpu ? { offer: 'cpu' as const } : {};
  if (!(error instanceof Error)) return { kind: 'bug', message: String(error), ...offer };
  return { kind: 'bug', message: error.message, stack: error.stack, ...offer };
}

/** The error that `wire` stands for: the engine's own where there is one. */
export function fromWire(wire: WireError): Error {
  switch (wire.kind) {
    case 'user': {
      const Failure = wire.offer === 'cpu' ? DeviceError : UserError;
      return new Failure(wire.what, wire.why, wire.action);
    }
    case 'cancelled':
      return new CancelledError();
    case 'bug':
      return new SidecarBug(wire.message, wire.stack, wire.offer);
  }
}

/** A copy that survives JSON: non-finite numbers by name, what is undefined left out. */
export function plain<T>(value: T): T {
  return JSON.parse(stringifyJson(value)) as T;
}
