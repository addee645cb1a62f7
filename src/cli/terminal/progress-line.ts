/**
 * Shows progress and remaining time of a long operation on stderr. A terminal gets one line that is rewritten. A pipe
 * or log gets a few plain lines.
 */
import type { Progress } from '../../engine/progress';
import type { TerminalFeatures } from './features';
import { formatClock } from '../../format/durations';
import { plainSigns, shown } from './text';

const TERMINAL_INTERVAL_MS = 100;
const PIPE_INTERVAL_MS = 3000;
/** A rate from a shorter time is noise. */
const MEASURABLE_SECONDS = 0.3;

export interface ProgressLine {
  readonly report: (progress: Progress) => void;
  /** Clears the line, so that something else can be printed. */
  readonly clear: () => void;
}

/** `write` gets text for stderr; `now` is in milliseconds. */
export function progressLine(
  write: (text: string) => void,
  features: Pick<TerminalFeatures, 'rewrites' | 'columns' | 'terminal' | 'unicode'>,
  now: () => number = () => performance.now(),
): ProgressLine {
  const interval = features.rewrites ? TERMINAL_INTERVAL_MS : PIPE_INTERVAL_MS;
  let phase: (Pick<Progress, 'unit' | 'total' | 'unpaced'> & { since: number; from: number; last: number }) | undefined;
  let printedAt = -Infinity;
  let onScreen = false;

  const clear = (): void => {
    if (onScreen) write('\r\u001b[K');
    onScreen = false;
  };

  const report = (progress: Progress): void => {
    const time = now();
    const { unit, total, unpaced, done } = progress;
    // A new unit or total, or restarted work, is a new phase with its own rate.
    const same = phase?.unit === unit && phase.total === total && phase.unpaced === unpaced && done >= phase.last;
    if (!phase || !same) phase = { unit, total, unpaced, since: time, from: done, last: done };
    phase.last = progress.done;
    if (time - printedAt < interval) return;
    printedAt = time;
    const line = shown(
      plainSigns(describe(progress, (time - phase.since) / 1000, done - phase.from), features),
      features,
    );
    if (features.rewrites) {
      write(`\r\u001b[K${line.slice(0, features.columns - 1)}`);
      onScreen = true;
    } else {
      write(`${line}\n`);
    }
  };

  return { report, clear };
}

/** "block 7 of 30 · 30 % · about 0:12 left": the same words as in the editor. */
function describe({ label, done, total, unpaced }: Progress, seconds: number, gained: number): string {
  const parts = [label];
  if (total > 0) parts.push(`${Math.floor((100 * done) / total)} %`);
  if (!unpaced && seconds >= MEASURABLE_SECONDS && gained > 0) {
    parts.push(`about ${formatClock((Math.max(0, total - done) * seconds) / gained)} left`);
  }
  return parts.join(' · ');
}
