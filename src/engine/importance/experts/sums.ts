/** What is summed of every expert over tokens: how many have it, its weights, and its weights times the norms of what it gives. */

/** Sums of the experts of one block, in float64; one number for each expert. */
export interface ExpertSums {
  /** In the model. */
  readonly block: number;
  /** Tokens routed to the expert. */
  readonly tokens: Float64Array;
  /** Σ of its weights, as the model applies them. */
  readonly gates: Float64Array;
  /** Σ of the weight times the L2 norm of the expert's own output. */
  readonly norms: Float64Array;
}

export const emptySums = (block: number, experts: number): ExpertSums => ({
  block,
  tokens: new Float64Array(experts),
  gates: new Float64Array(experts),
  norms: new Float64Array(experts),
});

/** Means over the tokens of each expert; 0 for an expert without any. */
export const meansOf = (sums: Float64Array, tokens: Float64Array): number[] =>
  Array.from(sums, (sum, e) => (tokens[e] > 0 ? sum / tokens[e] : 0));
