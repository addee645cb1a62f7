/** External ends of a command: signals such as Ctrl-C, and a closed stdout (`| head`). */
import { CancelledError, systemErrorCode } from '../engine/errors';
import { SIGNAL_CODES } from './exit-codes';
import { reportFailure } from './failure';
import { outputError } from './output';
import { terminalFeaturesOf } from './terminal/features';

type Signal = keyof typeof SIGNAL_CODES;

export interface Interruption {
  readonly signal: AbortSignal;
  /** Exit code of the received signal, if any. */
  readonly code: () => number | undefined;
  readonly stop: () => void;
}

/** The first signal aborts and removes the listener, so a second one ends the process immediately. */
export function listenForInterruption(): Interruption {
  const controller = new AbortController();
  let code: number | undefined;
  const stop = (): void => {
    for (const name of Object.keys(SIGNAL_CODES)) process.removeListener(name, onSignal);
  };
  const onSignal = (name: Signal): void => {
    stop();
    code = SIGNAL_CODES[name];
    controller.abort();
  };
  for (const name of Object.keys(SIGNAL_CODES)) process.on(name, onSignal);
  return { signal: controller.signal, code: () => code, stop };
}

let readerGone: AbortController | undefined;
let outputCode: number | undefined;

/** The exit code of the process after a command with exit code `code`. It is also a failure if output was lost. */
export const exitCodeOf = (code: number): number => (code === 0 ? (outputCode ?? 0) : code);

const plainFeatures = () => terminalFeaturesOf(process.stderr, process.env, false);

/**
 * Aborts when stdout no longer accepts data. A reader that ends early is not a failure. Any other error is reported,
 * and the process fails. Without this listener Node ends the process with a stack trace. The listeners remain until the
 * process ends, because an error may follow the last write.
 */
export function listenForClosedPipe(): AbortSignal {
  if (!readerGone) {
    const controller = new AbortController();
    process.stdout.on('error', (error) => {
      if (systemErrorCode(error) !== 'EPIPE') outputCode ??= reportFailure(outputError(error), plainFeatures(), false);
      controller.abort();
    });
    process.stderr.on('error', () => undefined); // it cannot be reported anywhere
    readerGone = controller;
  }
  return readerGone.signal;
}

/** True for errors of an aborted operation: the engine's own error or Node's `AbortError`. */
export const isCancellation = (error: unknown): boolean =>
  error instanceof CancelledError || (error instanceof Error && error.name === 'AbortError');
