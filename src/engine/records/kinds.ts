/**
 * What a record says by its kind. The definitions of jobs are above this room, and records of earlier versions and of the demo
 * have kinds that are no jobs.
 */
interface RecordKind {
  /** Its output is a model that it changed. */
  readonly writes?: true;
  /** It takes blocks, heads or neurons from its model and trains nothing. */
  readonly cuts?: true;
  /** It takes heads and neurons, and no blocks. */
  readonly narrows?: true;
  /** Its data decide the weights that it writes. */
  readonly fits?: true;
  /** It corrects weights in closed form. */
  readonly heals?: true;
  /** It trains weights or an adapter. */
  readonly trains?: true;
  /** It chooses blocks or fits weights; others only measure on such texts. */
  readonly chooses?: true;
  /** The label of its size is the name of the model that it wrote. */
  readonly names?: true;
  /** It shows what models cost and write: the panel of what they were made from has it too. */
  readonly costs?: true;
  /** Its models are a list, and a label of an old record does not tell which of them is meant. */
  readonly labels?: true;
  /** "a score", of jobs that can be cut into parts. */
  readonly whole?: string;
}

const KINDS: Readonly<Record<string, RecordKind>> = {
  score: { chooses: true, whole: 'a score' },
  eval: { whole: 'an evaluation' },
  tasks: { whole: 'a measurement of tasks' },
  curve: { whole: 'a curve' },
  bench: { costs: true },
  speeds: { costs: true },
  grid: { costs: true },
  samples: { costs: true, labels: true },
  prune: { writes: true, cuts: true, chooses: true, names: true },
  width: { writes: true, cuts: true, narrows: true, chooses: true, names: true },
  heal: { writes: true, cuts: true, fits: true, heals: true, chooses: true, names: true },
  iterate: { writes: true, fits: true, chooses: true },
  retrain: { writes: true, fits: true, trains: true, chooses: true },
  merge: { writes: true, fits: true, chooses: true, names: true },
  experts: { writes: true, chooses: true, names: true },
  vocabulary: { writes: true, names: true },
  export: { writes: true, names: true },
  demo: { cuts: true, chooses: true },
};

/** What a run of the kind does; nothing of this for one that only measures. */
export const recordKind = (kind: string): RecordKind => (Object.hasOwn(KINDS, kind) ? KINDS[kind] : {});
