/** How errors cross from the sidecar: what kind they are decides what the user sees. */

/** The user must see it and can act on it. */
export interface UserFailure {
  readonly kind: 'user';
  readonly what: string;
  readonly why: string;
  readonly action: string;
  /** The device failed: the same job may work on the CPU, which is never chosen without asking. */
  readonly offer?: 'cpu';
}

/** Ended because it was asked to; nothing to report. */
export interface Cancellation {
  readonly kind: 'cancelled';
}

/** A fault of the program, for the log. */
export interface Bug {
  readonly kind: 'bug';
  readonly message: string;
  readonly stack?: string;
  readonly offer?: 'cpu';
}

export type WireError = UserFailure | Cancellation | Bug;
