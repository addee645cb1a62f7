/** What the page reads of a run by its kind, besides words. Pure. */
interface RunKind {
  /** It rounds whole rows of weights to integers; others write text, or measure as it is written. */
  readonly byRows?: true;
  /** It decides which blocks a model lacks. */
  readonly removes?: true;
  /** Its main result is how fast models write. */
  readonly times?: true;
  /** Of one model: what it lacks or has on top of it stands beside its label. */
  readonly ofOne?: true;
}

const KINDS: Readonly<Record<string, RunKind>> = {
  score: { byRows: true },
  prune: { removes: true },
  iterate: { byRows: true, removes: true },
  heal: { removes: true },
  retrain: { byRows: true, removes: true },
  bench: { times: true, ofOne: true },
  speeds: { times: true },
  demo: { removes: true },
};

/** Nothing of this for any other kind, also of one that only another version has. */
export const runKind = (kind: string): RunKind => (Object.hasOwn(KINDS, kind) ? KINDS[kind] : {});
