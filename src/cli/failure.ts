/**
 * Reports a failed command in three lines: what failed, why, what to do. Exit code 2 means a wrong command line, 1 a
 * failed run.
 */
import { LimitError, messageOf, OptionError, UserError } from '../engine/errors';
import { systemFailure } from '../engine/system-failure';
import { EXIT_FAILURE, EXIT_LIMIT, EXIT_USAGE } from './exit-codes';
import { writeErr } from './output';
import type { TerminalFeatures } from './terminal/features';
import { styleOf } from './terminal/style';
import { oneLine, plainSigns, shown } from './terminal/text';

/** An error in the command line itself, independent of the checkpoint. */
export class UsageError extends UserError {}

/** Runs `parse` and reports its errors as errors of the command line. */
export function asUsage<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(error.what, error.why, error.action, { cause: error });
    throw error;
  }
}

export interface Failure {
  readonly what: string;
  readonly why: string;
  readonly action: string;
  readonly exitCode: number;
}

const isUsage = (error: UserError): boolean => error instanceof UsageError || error instanceof OptionError;

const exitCodeOf = (error: UserError): number =>
  isUsage(error) ? EXIT_USAGE : error instanceof LimitError ? EXIT_LIMIT : EXIT_FAILURE;

export function failureOf(error: unknown): Failure {
  const known = error instanceof UserError ? error : systemFailure(error);
  if (known) {
    const { what, why, action } = known;
    return { what, why, action, exitCode: exitCodeOf(known) };
  }
  return {
    what: 'Coppice failed unexpectedly',
    why: messageOf(error),
    action: 'This is a bug. Run again with --verbose and report what it prints.',
    exitCode: EXIT_FAILURE,
  };
}

/** Reports on stderr how a command ended. @returns its exit code */
export function reportFailure(error: unknown, features: TerminalFeatures, verbose: boolean): number {
  const failure = failureOf(error);
  writeErr(`${failureLines(failure, error, features, verbose).join('\n')}\n`);
  return failure.exitCode;
}

/** The three lines, and with `verbose` the stack of the error and of its causes. `features` are those of stderr. */
export function failureLines(failure: Failure, error: unknown, features: TerminalFeatures, verbose: boolean): string[] {
  const style = styleOf(features);
  const clean = (text: string): string => shown(plainSigns(oneLine(text), features), features);
  const lines = [
    `${style.red(style.bold('error:'))} ${clean(failure.what)}`,
    `  why: ${clean(failure.why)}`,
    `  try: ${clean(failure.action)}`,
  ];
  for (let e: unknown = error; verbose && e instanceof Error; e = e.cause) {
    lines.push(...(e.stack ?? String(e)).split('\n').map((line) => `    ${clean(line)}`));
  }
  return lines;
}
