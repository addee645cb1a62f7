/** What is said of a forecast of drafts. Pure. */

/** How many times as fast the best draft makes a model: on prompts that decided nothing, where there are any; null if unknown. */
export const judgedSpeedup = ({
  heldOutSpeedup,
  drafts,
  chosen,
}: {
  readonly heldOutSpeedup?: number;
  readonly drafts: readonly { readonly name: string; readonly speedup: number | null }[];
  readonly chosen?: string;
}): number | null => heldOutSpeedup ?? drafts.find(({ name }) => name === chosen)?.speedup ?? null;
