/** Requests of which only the newest matters: waits for a pause in their coming, and cancels what is overtaken. */
import { CancelledError } from '../engine/errors';
import type { Clock } from './clock';

/** Short enough to feel immediate, long enough for a few clicks in a row to be one question. */
const PAUSE_MS = 150;

export class Latest<Params, Answer> {
  private newest = new AbortController();

  constructor(
    private readonly ask: (params: Params, signal: AbortSignal) => Promise<Answer>,
    private readonly clock: Pick<Clock, 'later'>,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  /** @returns undefined when another request came after this one, or `cancel` was called */
  async request(params: Params): Promise<Answer | undefined> {
    this.newest.abort();
    const { signal } = (this.newest = new AbortController());
    await new Promise<void>((go) => this.clock.later(this.pauseMs, go));
    if (signal.aborted) return undefined;
    try {
      const answer = await this.ask(params, signal);
      return signal.aborted ? undefined : answer;
    } catch (error) {
      if (signal.aborted || error instanceof CancelledError) return undefined;
      throw error;
    }
  }

  /** Nobody wants the answer any more. */
  cancel(): void {
    this.newest.abort();
  }
}
