/**
 * A typed vscode-jsonrpc connection: methods are the keys of the protocol, errors its kinds, and an AbortSignal
 * cancels.
 */
import {
  CancellationTokenSource,
  createMessageConnection,
  ErrorCodes,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
  ResponseError,
} from 'vscode-jsonrpc/node';
import type { ChildProcess } from 'node:child_process';
import { CancelledError } from '../engine/errors';
import type { WireError } from '../protocol/errors';
import type {
  AnswerOf,
  HostNotifications,
  NotificationName,
  Notifications,
  ParamsOf,
  RequestName,
} from '../protocol/messages';
import { fromWire, plain, SidecarBug, toWire } from './wire';

/** Code of all errors of handlers, whose kind is in the data. Outside JSON-RPC's reserved range. */
const FAILED = 1;
/** Codes that vscode-jsonrpc sends itself. */
const OF_THE_CHANNEL: readonly number[] = [
  ErrorCodes.MessageWriteError,
  ErrorCodes.MessageReadError,
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
];

/** A connection to the process at the other end of a fork's channel: the child, or the parent of `process`. */
export function connectTo(end: ChildProcess | NodeJS.Process): MessageConnection {
  return createMessageConnection(new IPCMessageReader(end), new IPCMessageWriter(end));
}

/** Answers requests of one method. */
export function answer<M extends RequestName>(
  connection: MessageConnection,
  method: M,
  handler: (params: ParamsOf<M>, signal: AbortSignal) => Promise<AnswerOf<M>>,
): void {
  connection.onRequest(method, async (params: ParamsOf<M>, token: CancellationTokenSource['token']) => {
    const controller = new AbortController();
    const listening = token.onCancellationRequested(() => controller.abort());
    // Cancelled before its turn came: such a token is silent.
    if (token.isCancellationRequested) controller.abort();
    try {
      return plain(await handler(params, controller.signal));
    } catch (error) {
      const wire = error instanceof WireFailure ? error.wire : toWire(error);
      return new ResponseError<WireError>(FAILED, wire.kind, wire);
    } finally {
      listening.dispose();
    }
  });
}

/** A handler throws it to set the wire form of its error, instead of `toWire`. */
export class WireFailure extends Error {
  constructor(readonly wire: WireError) {
    super(wire.kind);
  }
}

/**
 * Sends a request and waits for the answer.
 * @throws UserError, CancelledError or SidecarBug from the other end; errors of a broken connection
 */
export async function ask<M extends RequestName>(
  connection: MessageConnection,
  method: M,
  params: ParamsOf<M>,
  signal?: AbortSignal,
): Promise<AnswerOf<M>> {
  const source = new CancellationTokenSource();
  const cancel = (): void => source.cancel();
  if (signal?.aborted) throw new CancelledError(); // a token that is cancelled already would send no word of it
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await connection.sendRequest<AnswerOf<M>>(method, params, source.token);
  } catch (error) {
    if (!(error instanceof ResponseError) || OF_THE_CHANNEL.includes(error.code)) throw error;
    throw error.code === FAILED ? fromWire(error.data as WireError) : new SidecarBug(error.message);
  } finally {
    signal?.removeEventListener('abort', cancel);
    source.dispose();
  }
}

/** Sidecar → host. A notification that cannot be sent is dropped. */
export function notify<N extends NotificationName>(
  connection: MessageConnection,
  name: N,
  params: Notifications[N],
): void {
  void connection.sendNotification(name, plain(params)).catch(() => undefined);
}

/** Listens to notifications of the sidecar. */
export function listen<N extends NotificationName>(
  connection: MessageConnection,
  name: N,
  listener: (params: Notifications[N]) => void,
): void {
  connection.onNotification(name, listener);
}

/** Listens to notifications of the host. */
export function hear<N extends keyof HostNotifications>(
  connection: MessageConnection,
  name: N,
  listener: (params: HostNotifications[N]) => void,
): void {
  connection.onNotification(name, listener);
}

/** Host → sidecar. */
export function tell<N extends keyof HostNotifications>(
  connection: MessageConnection,
  name: N,
  params: HostNotifications[N],
): void {
  void connection.sendNotification(name, params).catch(() => undefined);
}
