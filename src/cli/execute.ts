/**
 * Runs one command from its parsed options to its exit code: signals, progress, notes, the record, the one JSON object
 * or the page, and errors.
 */
import { stringifyJson } from '../format/json';
import { LimitError } from '../engine/errors';
import { shownText } from '../engine/option-token';
import type { JobOptions } from '../engine/progress';
import type { RunDetails } from '../engine/records/details';
import { EXIT_FAILURE, EXIT_LIMIT } from './exit-codes';
import { reportFailure } from './failure';
import type { CommonOptions } from './options';
import { writeErr, writeOut } from './output';
import { watchForShrinking } from './shrink-watch';
import { isCancellation, listenForClosedPipe, listenForInterruption } from './signals';
import { type TerminalFeatures, terminalFeaturesOf } from './terminal/features';
import { progressLine } from './terminal/progress-line';
import { type Style, styleOf } from './terminal/style';
import { plainSigns, shown } from './terminal/text';

/** The environment of a command. */
export interface Shell {
  /** Last argument of every long operation of the engine. */
  readonly job: JobOptions;
  /** Style of stdout; with `--json` only the one object is printed. */
  readonly features: TerminalFeatures;
  readonly style: Style;
  /** Prints text unchanged and immediately, for streamed output; nothing with `--json`. */
  readonly stream: (text: string) => void;
  /** Prints lines immediately; nothing with `--json`. */
  readonly print: (...lines: string[]) => void;
  /** Prints a line on stderr, unless `--quiet`. */
  readonly note: (line: string) => void;
  /** Prints a warning on stderr, also with `--quiet`. */
  readonly warn: (line: string) => void;
  /** Makes text of a model or a file safe for the terminal. */
  readonly shown: (text: string) => string;
}

export interface Outcome {
  /** The output of `--json`. */
  readonly json: object;
  /** The record's results, if they have more than `json`. */
  readonly results?: object;
  /** The output without `--json`, line by line. */
  readonly page: readonly string[];
  /** The command did its work, and what it found is a failure. */
  readonly failed?: boolean;
  /** Of a command whose findings have exit codes of their own. */
  readonly exitCode?: number;
  /** Why the command stopped before its end; reported after the page. */
  readonly error?: unknown;
  /** The record's part besides the results; undefined if the body writes the record itself. */
  readonly run?: RunDetails;
}

/** Receives the exit code of the command that ran. */
export type Exit = (code: number) => void;

export interface Invocation {
  /** Name of the command. */
  readonly kind: string;
  readonly options: CommonOptions;
  /** The checkpoint that the command reads, if any. */
  readonly source?: string;
}

const recordFile = () => import('./record-file');

/** What changed in the checkpoints while the command ran. */
async function changesIn(checkpoints: RunDetails['checkpoints'] = []): Promise<string[]> {
  if (checkpoints.length === 0) return [];
  const { sourceChanges } = await import('../engine/records/source-changes');
  return sourceChanges(checkpoints);
}

/** Runs `body` and returns the exit code of the process. */
export async function execute(
  { kind, options, source }: Invocation,
  body: (shell: Shell) => Promise<Outcome>,
): Promise<number> {
  const started = new Date();
  const out = terminalFeaturesOf(process.stdout, process.env, options.color);
  const err = terminalFeaturesOf(process.stderr, process.env, options.color);
  const errStyle = styleOf(err);
  const progress = progressLine(writeErr, err);
  const clean = (line: string): string => shown(plainSigns(shownText(line), err), err);
  const say = (line: string): void => {
    progress.clear();
    writeErr(`${line}\n`);
  };
  const interruption = listenForInterruption();
  const readerGone = listenForClosedPipe();
  watchForShrinking();

  const shell: Shell = {
    job: {
      signal: AbortSignal.any([interruption.signal, readerGone]),
      onProgress: options.quiet ? undefined : progress.report,
    },
    features: out,
    style: styleOf(out),
    stream: (text) => {
      if (!options.json) writeOut(text);
    },
    print: (...lines) => {
      if (options.json || lines.length === 0) return;
      progress.clear();
      writeOut(`${plainSigns(lines.join('\n'), out)}\n`);
    },
    note: (line) => {
      if (!options.quiet) say(errStyle.dim(clean(line)));
    },
    warn: (line) => say(`${errStyle.yellow('warning:')} ${clean(line)}`),
    shown: (text) => shown(text, out),
  };

  try {
    const { record, ...others } = options;
    if (record !== undefined) await (await recordFile()).checkRecordFile(record, source, [others, source]);
    const outcome = await body(shell);
    const notes = await changesIn(outcome.run?.checkpoints);
    for (const note of notes) shell.warn(note);
    if (record !== undefined && outcome.run) {
      const { run, json, results = json } = outcome;
      const { writeRecordFile } = await recordFile();
      await writeRecordFile(record, [options, source], { kind, run, results, notes, started });
    }
    progress.clear();
    if (options.json) writeOut(`${shown(stringifyJson(outcome.json), out)}\n`);
    else shell.print(...outcome.page);
    if (outcome.error !== undefined) {
      reportFailure(outcome.error, err, options.verbose === true);
      // The command line itself was right.
      return outcome.error instanceof LimitError ? EXIT_LIMIT : EXIT_FAILURE;
    }
    return outcome.exitCode ?? (outcome.failed ? EXIT_FAILURE : 0);
  } catch (error) {
    progress.clear();
    if (isCancellation(error)) {
      const code = interruption.code();
      if (code !== undefined) say('Cancelled.');
      return code ?? 0; // otherwise stdout is closed: signals.ts decides whether that is a failure
    }
    return reportFailure(error, err, options.verbose === true);
  } finally {
    interruption.stop();
  }
}
