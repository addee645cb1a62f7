/**
 * The results panels that the user sees. A panel shows the progress and the result of the jobs of its checkpoint itself, so
 * that nothing is laid over it. Does not use VS Code.
 */
export class VisiblePanels {
  private readonly seen = new Map<string, number>();

  /**
   * Notes a panel of the checkpoint that can be seen now.
   * @returns a function to call when it is hidden or closed; further calls do nothing
   */
  shown(checkpoint: string): () => void {
    this.count(checkpoint, 1);
    let isShown = true;
    return () => {
      if (isShown) this.count(checkpoint, -1);
      isShown = false;
    };
  }

  /** Whether a panel of the checkpoint can be seen. @param checkpoint its path in the view */
  has(checkpoint: string): boolean {
    return (this.seen.get(checkpoint) ?? 0) > 0;
  }

  private count(checkpoint: string, by: number): void {
    this.seen.set(checkpoint, (this.seen.get(checkpoint) ?? 0) + by);
  }
}
