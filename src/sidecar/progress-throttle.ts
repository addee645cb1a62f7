/** Thins out progress reports, and adds rate and remaining time. */
import type { Progress } from '../engine/progress';
import type { ProgressInfo } from '../protocol/jobs';

/** About ten reports per second. */
const INTERVAL_MS = 100;
/** The rate covers the last seconds, so that a slow start does not count forever. */
const WINDOW_MS = 10_000;
/** Shortest time that gives a rate. */
const MIN_MS = 500;

interface Mark {
  readonly at: number;
  readonly done: number;
}

/** Reports of one job. */
export class ProgressThrottle {
  private marks: Mark[] = [];
  private sent = -Infinity;
  private held: Progress | undefined;
  private unpaced = false;

  /**
   * @param send receives the reports that pass
   * @param now milliseconds
   */
  constructor(
    private readonly send: (progress: ProgressInfo) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Sends a report, or holds it until the next one. The last report is always sent. */
  readonly report = (progress: Progress): void => {
    const at = this.now();
    const { unpaced = false } = progress;
    const back = this.marks.length > 0 && progress.done < this.marks[this.marks.length - 1].done;
    if (back || unpaced !== this.unpaced) this.marks = []; // another phase
    this.unpaced = unpaced;
    if (this.marks.length === 0 || at - this.marks[this.marks.length - 1].at >= INTERVAL_MS) {
      this.marks.push({ at, done: progress.done });
      while (this.marks.length > 2 && at - this.marks[0].at > WINDOW_MS) this.marks.shift();
    }
    if (at - this.sent < INTERVAL_MS && progress.done < progress.total) this.held = progress;
    else this.pass(progress, at);
  };

  /** Sends the held report at the end of the job. */
  flush(): void {
    if (this.held) this.pass(this.held, this.now());
  }

  private pass(progress: Progress, at: number): void {
    this.sent = at;
    this.held = undefined;
    const { label, done, total, unit } = progress;
    this.send({ label, done, total, unit, ...this.rate(progress, at) });
  }

  private rate({ done, total, unpaced }: Progress, at: number): Pick<ProgressInfo, 'perSecond' | 'secondsLeft'> {
    const [first] = this.marks;
    if (!first || at - first.at < MIN_MS || done <= first.done) return {};
    const perSecond = ((done - first.done) * 1000) / (at - first.at);
    if (unpaced) return { perSecond };
    return { perSecond, secondsLeft: Math.max(0, total - done) / perSecond };
  }
}
