/** Progress thinned out for the wire, with the rate and the time left that follow from it. */
import type { Progress } from '../engine/progress';
import type { ProgressInfo } from '../protocol/jobs';

/** About ten reports a second. */
const INTERVAL_MS = 100;
/** The rate is that of the last seconds: work that began slowly does not count for ever. */
const WINDOW_MS = 10_000;
/** Less than this and a rate says nothing. */
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
   * @param send receives what passes
   * @param now milliseconds
   */
  constructor(
    private readonly send: (progress: ProgressInfo) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** A report of the job: sent, or held until the next one that is. The last one of the work is always sent. */
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

  /** Sends what is held. For the end of the job, whichever it is. */
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
