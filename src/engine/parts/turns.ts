/** Several parts in one process: one computes at a time, and one that waits for others lets them. So memory is that of one. */
export class Turns {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;

  /** Whether one computes, or is about to. */
  get isTaken(): boolean {
    return this.waiting > 0;
  }

  /**
   * Runs `compute` when it is its turn.
   * @param compute calls `rest` with whatever it waits for
   */
  async take<T>(compute: (rest: <W>(wait: () => Promise<W>) => Promise<W>) => Promise<T>): Promise<T> {
    let end = await this.begin();
    const rest = async <W>(wait: () => Promise<W>): Promise<W> => {
      end();
      try {
        return await wait();
      } finally {
        end = await this.begin();
      }
    };
    try {
      return await compute(rest);
    } finally {
      end();
    }
  }

  /** @returns what ends the turn */
  private async begin(): Promise<() => void> {
    const before = this.last;
    let end = (): void => undefined;
    this.waiting++;
    this.last = new Promise((resolve) => {
      end = () => {
        this.waiting--;
        resolve();
      };
    });
    await before;
    return end;
  }
}
