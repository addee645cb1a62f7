/** What a long operation reports and listens to. The engine knows nothing of terminals or editors. */
export interface Progress {
  /** The step in words: "scoring block 7". */
  readonly label: string;
  /** Work done and to be done, in the operation's own unit. */
  readonly done: number;
  readonly total: number;
  /** Name of that unit, plural: "row-blocks", "windows", "bytes". */
  readonly unit: string;
}

export interface JobOptions {
  /** Checked between runs; aborting makes the operation throw `CancelledError`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}
