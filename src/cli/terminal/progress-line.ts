/**
 * Progress of a long operation on stderr: rate and time left. A terminal gets one line that is rewritten; a pipe or
 * log gets plain lines, few enough to read afterwards.
 */
import type { Progress } from '../../engine/progress';
import type { Looks } from './looks';
import { formatBytes, formatSeconds, shown } from './text';

const TERMINAL_INTERVAL_MS = 100;
const PIPE_INTERVAL_MS = 3000;
/** A rate from less than this is noise. */
const MEASURABLE_SECONDS = 0.3;

export interface ProgressLine {
  readonly report: (progress: Progress) => void;
  /** Takes the line off the terminal, so that something else can be printed there. */
  readonly clear: () => void;
}

/** `write` gets text for stderr; `now` is in milliseconds. */
export function progressLine(
  write: (text: string) => void,
  looks: Pick<Looks, 'rewrites' | 'columns' | 'terminal' | 'unicode'>,
  now: () => number = () => performance.now(),
): ProgressLine {
  const interval = looks.rewrites ? TERMINAL_INTERVAL_MS : PIPE_INTERVAL_MS;
  let phase: { unit: string; total: number; since: number; from: number; last: number } | undefined;
  let printedAt = -Infinity;
  let onScreen = false;

  const clear = (): void => {
    if (onScreen) write('\r\u001b[K');
    onScreen = false;
  };

  const report = (progress: Progress): void => {
    const time = now();
    // A new unit or total, or work that starts over, is a new phase: its rate is its own.
    if (phase?.unit !== progress.unit || phase.total !== progress.total || progress.done < phase.last) {
      phase = { unit: progress.unit, total: progress.total, since: time, from: progress.done, last: progress.done };
    }
    phase.last = progress.done;
    if (time - printedAt < interval) return;
    printedAt = time;
    const line = shown(describe(progress, (time - phase.since) / 1000, progress.done - phase.from), looks);
    if (looks.rewrites) {
      write(`\r\u001b[K${line.slice(0, looks.columns - 1)}`);
      onScreen = true;
    } else {
      write(`${line}\n`);
    }
  };

  return { report, clear };
}

/** "scoring block 7: 140/465 row-blocks, 30%, 52.1 row-blocks/s, 6.2 s left" */
function describe(progress: Progress, seconds: number, gained: number): string {
  const { label, done, total, unit } = progress;
  const amount = (n: number): string => (unit === 'bytes' ? formatBytes(n) : String(Math.round(n)));
  const parts = [`${amount(done)}/${amount(total)}${unit === 'bytes' ? '' : ` ${unit}`}`];
  if (total > 0) parts.push(`${Math.floor((100 * done) / total)}%`);
  if (seconds >= MEASURABLE_SECONDS && gained > 0) {
    const rate = gained / seconds;
    parts.push(unit === 'bytes' ? `${formatBytes(rate)}/s` : `${Number(rate.toPrecision(3))} ${unit}/s`);
    parts.push(`${formatSeconds(Math.max(0, total - done) / rate)} left`);
  }
  return `${label}: ${parts.join(', ')}`;
}
