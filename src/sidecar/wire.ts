/** Wire forms of errors, and results as plain JSON. */
import { CancelledError, DeviceError, UserError } from '../engine/errors';
import { stringifyJson } from '../format/json';
import { systemFailure } from '../engine/system-failure';
import type { WireError } from '../protocol/errors';

/** A bug in the sidecar, as the host receives it. */
export class SidecarBug extends Error {
  override readonly name = 'SidecarBug';
  constructor(
    message: string,
    /** Stack in the sidecar. */
    readonly remoteStack?: string,
    /** Offers the CPU, on which the same may work. */
    readonly offer?: 'cpu',
  ) {
    super(message);
  }
}

/** The wire form of an error. @param onGpu whether a GPU was computing, so that the CPU is an alternative */
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

/** The error of a wire form: an error of the engine where possible. */
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

/** A copy as plain JSON: non-finite numbers by name, without undefined values. */
export function plain<T>(value: T): T {
  return JSON.parse(stringifyJson(value)) as T;
}
