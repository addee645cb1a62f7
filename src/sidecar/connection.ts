/** vscode-jsonrpc with the types of the protocol: method names are its keys, errors its kinds, cancelling an AbortSignal. */
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

/** Any error of a handler; its kind is in the data. Outside the range that JSON-RPC has reserved. */
const FAILED = 1;
/** What vscode-jsonrpc answers itself when the other end can't. */
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

/** Thrown by a handler that knows better than `toWire` how its error crosses. */
export class WireFailure extends Error {
  constructor(readonly wire: WireError) {
    super(wire.kind);
  }
}

/**
 * Asks and waits for the answer.
 * @throws UserError, CancelledError or SidecarBug as the other end failed; whatever the connection throws when it breaks
 */
export async function ask<M extends RequestName>(
  connection: MessageConnection,
  method: M,
  params: ParamsOf<M>,
  signal?: AbortSignal,
): Promise<AnswerOf<M>> {
  const source = new CancellationTokenSource();
  const cancel = (): void => source.cancel();
  if (signal?.aborted) cancel();
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

/** Sidecar → host. What cannot be sent any more is for nobody. */
export function notify<N extends NotificationName>(
  connection: MessageConnection,
  name: N,
  params: Notifications[N],
): void {
  void connection.sendNotification(name, plain(params)).catch(() => undefined);
}

/** Listens to what the sidecar tells. */
export function listen<N extends NotificationName>(
  connection: MessageConnection,
  name: N,
  listener: (params: Notifications[N]) => void,
): void {
  connection.onNotification(name, listener);
}

/** Listens to what the host tells. */
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
