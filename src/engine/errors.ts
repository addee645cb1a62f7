/**
 * The engine throws two kinds of errors. The user sees a `UserError` and can act on it. Every other error is a bug and
 * is logged with its stack. Cancellation is neither.
 */
import { shownText } from './option-token';

/** The three texts of an error, as they were written. They may name options by token; see option-token.ts. */
export interface ErrorTexts {
  readonly what: string;
  readonly why: string;
  readonly action: string;
}

/** What went wrong, why, and what to do: each one line, without a trailing full stop in `what`. */
export class UserError extends Error {
  override readonly name = 'UserError';
  /**
   * The texts with their tokens, for another process that renders them in its own words.
   * @internal
   */
  readonly texts: ErrorTexts;

  /**
   * @param what what failed, naming the file and the field
   * @param why the reason
   * @param action the next step for the user
   */
  constructor(what: string, why: string, action: string, options?: ErrorOptions) {
    super(shownText(`${what}: ${why}`), options);
    this.texts = { what, why, action };
  }

  /**
   * The same error with its texts changed.
   * @internal
   */
  withTexts(change: (text: string) => string): UserError {
    const { what, why, action } = this.texts;
    const Same = [DeviceError, LimitError].find((each) => this instanceof each) ?? UserError;
    return new Same(change(what), change(why), change(action), { cause: this.cause });
  }

  /** What failed, as this process shows it. */
  get what(): string {
    return shownText(this.texts.what);
  }

  /** The reason, as this process shows it. */
  get why(): string {
    return shownText(this.texts.why);
  }

  /** The next step, as this process shows it. */
  get action(): string {
    return shownText(this.texts.action);
  }
}

/** An option that does not fit the model, such as a block that it does not have: wrong usage, not a failed run. */
export class OptionError extends UserError {}

/** A limit that the user gave, or that holds without a word, is broken: the work was done, and what it found is not accepted. */
export class LimitError extends UserError {}

/**
 * The device failed, not the job. The job may work on the CPU: the caller can offer that, but never chooses it
 * silently.
 */
export class DeviceError extends UserError {}

/** Thrown between runs once the caller's signal is aborted. Not an error to report. */
export class CancelledError extends Error {
  override readonly name = 'CancelledError';
  constructor() {
    super('cancelled');
  }
}

/** Throws `CancelledError` once `signal` is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError();
}

/**
 * The `code` of an error of the operating system ("ENOENT", "ENOSPC", …), or undefined. Node's own errors ("ERR_…") do
 * not count, because they report a wrong call.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code.startsWith('ERR_') ? undefined : error.code;
}

/** The message of a thrown error, or the thrown value as text if it is not an error. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
