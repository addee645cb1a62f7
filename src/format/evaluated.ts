/** The perplexities of a run that evaluated one model. Those of a demo are of several, and are none of them. */
export const evaluatedIn = <Q>({
  kind,
  quality = [],
}: {
  readonly kind: string;
  readonly quality?: readonly Q[];
}): readonly Q[] => (kind === 'eval' ? quality : []);
