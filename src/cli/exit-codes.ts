/** How a command ends, for scripts. The documents list these codes. */

export const EXIT_DONE = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
/** The work was done, and a limit is broken. */
export const EXIT_LIMIT = 3;

/** By convention: 128 + the number of the signal. */
export const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export interface ExitCode {
  readonly code: number;
  /** In the line of the help; a code without them is of the documents alone. */
  readonly short?: string;
  readonly meaning: string;
}

export const EXIT_CODES: readonly ExitCode[] = [
  { code: EXIT_DONE, short: 'done', meaning: 'the command did its work' },
  {
    code: EXIT_FAILURE,
    short: 'failed',
    meaning:
      'the command failed: stderr says what, why and what to do. Or it did its work and found a fault, such as a file that differs',
  },
  {
    code: EXIT_USAGE,
    short: 'wrong usage',
    meaning: 'the command line is not valid, whatever the model is; nothing was computed',
  },
  {
    code: EXIT_LIMIT,
    short: 'a limit is broken',
    meaning:
      'a limit is broken: of a recipe, whose steps behind it did not run, or of a command, which wrote nothing then',
  },
  { code: SIGNAL_CODES.SIGINT, short: 'cancelled with Ctrl-C', meaning: 'cancelled by Ctrl-C (SIGINT)' },
  { code: SIGNAL_CODES.SIGHUP, meaning: 'cancelled, because the terminal closed (SIGHUP)' },
  { code: SIGNAL_CODES.SIGTERM, meaning: 'cancelled by SIGTERM' },
];

/** The line of the help: "0 done, 1 failed, …". */
export const exitCodesInShort = (): string =>
  EXIT_CODES.flatMap(({ code, short }) => (short === undefined ? [] : [`${code} ${short}`])).join(', ');
