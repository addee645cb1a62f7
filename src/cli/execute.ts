/**
 * Runs one command from its parsed options to its exit code: signals, progress, notes, the record, the one JSON object
 * or the page, and errors.
 */
import { dirname } from 'node:path';
import { stringifyJson } from '../format/json';
import { shownText } from '../engine/option-token';
import type { JobOptions } from '../engine/progress';
import type { RunDetails } from '../engine/records/details';
import { textsIn, withPlaces } from '../engine/records/places';
import { newRecord, writeRecord } from '../engine/records/record';
import { sourceChanges } from '../engine/records/source-changes';
import { reportFailure } from './failure';
import type { CommonOptions } from './options';
import { writeErr, writeOut } from './output';
import { checkFileTarget } from '../jobs/file-target';
import { isCancellation, listenForClosedPipe, listenForInterruption } from './signals';
import { type TerminalFeatures, terminalFeaturesOf } from './terminal/features';
import { progressLine } from './terminal/progress-line';
import { type Style, styleOf } from './terminal/style';
import { plainSigns, shown } from './terminal/text';

/** What a command sees of the world around it. */
export interface Shell {
  /** Last argument of every long operation of the engine. */
  readonly job: JobOptions;
  /** Stdout and how it may be painted; `--json` leaves it to the one object. */
  readonly features: TerminalFeatures;
  readonly style: Style;
  /** Prints text as it is and at once, for output that streams; nothing with `--json`. */
  readonly stream: (text: string) => void;
  /** Prints lines at once; nothing with `--json`. */
  readonly print: (...lines: string[]) => void;
  /** A line on stderr, unless `--quiet`. */
  readonly note: (line: string) => void;
  /** A line on stderr that the user must not miss. */
  readonly warn: (line: string) => void;
  /** Text of a model or a file, harmless in the terminal that stdout is. */
  readonly shown: (text: string) => string;
}

export interface Outcome {
  /** What `--json` prints. */
  readonly json: object;
  /** What the record holds as results, where that is more. */
  readonly results?: object;
  /** What is printed otherwise, line by line. */
  readonly page: readonly string[];
  /** What the record says beside the results; undefined where the body keeps the record itself. */
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
    if (record !== undefined) await checkFileTarget('the record', record, source, textsIn([others, source]));
    const outcome = await body(shell);
    const notes = await sourceChanges(outcome.run?.checkpoints ?? []);
    for (const note of notes) shell.warn(note);
    if (record !== undefined && outcome.run) {
      const inputs = withPlaces(outcome.run.inputs, [options, source], dirname(record), process.cwd());
      const results = outcome.results ?? outcome.json;
      await writeRecord(record, newRecord({ kind, ...outcome.run, inputs, results, notes, started }));
    }
    progress.clear();
    if (options.json) writeOut(`${shown(stringifyJson(outcome.json), out)}\n`);
    else shell.print(...outcome.page);
    return 0;
  } catch (error) {
    progress.clear();
    if (isCancellation(error)) {
      const code = interruption.code();
      if (code !== undefined) say('Cancelled.');
      return code ?? 0; // else stdout is gone: signals.ts says whether that is a failure
    }
    return reportFailure(error, err, options.verbose === true);
  } finally {
    interruption.stop();
  }
}
