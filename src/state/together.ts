/** Jobs that run one after the other as one for the user, such as those of a comparison. Does not use VS Code. */
import type { ProgressInfo } from '../protocol/jobs';

/** What panels show of them. */
export interface Together {
  readonly id: string;
  readonly kind: 'compare';
  /** Of the model that they are about. */
  readonly checkpoint: string;
  /** In one or two words, translated. */
  readonly word: string;
  /** Of all of them. */
  readonly progress?: ProgressInfo;
  /** The job among them that runs now, which stands for itself nowhere. */
  readonly part?: string;
}

export class TogetherJobs {
  private readonly running = new Map<string, { now: Together; readonly cancel: () => void }>();
  private readonly listeners = new Set<() => void>();
  private begun = 0;

  /** @param cancel ends all of them */
  begin(about: Omit<Together, 'id' | 'progress' | 'part'>, cancel: () => void): string {
    const id = `together-${++this.begun}`;
    this.running.set(id, { now: { ...about, id }, cancel });
    this.tell();
    return id;
  }

  update(id: string, changes: Pick<Together, 'progress' | 'part'>): void {
    const found = this.running.get(id);
    if (!found) return;
    found.now = { ...found.now, ...changes };
    this.tell();
  }

  end(id: string): void {
    if (this.running.delete(id)) this.tell();
  }

  get all(): readonly Together[] {
    return [...this.running.values()].map(({ now }) => now);
  }

  /** @returns whether there are such jobs */
  cancel(id: string): boolean {
    const found = this.running.get(id);
    found?.cancel();
    return found !== undefined;
  }

  onChange(listener: () => void): { dispose(): void } {
    this.listeners.add(listener);
    return { dispose: () => this.listeners.delete(listener) };
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}
