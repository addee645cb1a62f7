/** The probes by name, in the order of pages. Each is a file of this folder. */
export const PROBE_NAMES = ['copy', 'recall', 'brackets', 'sums', 'json', 'format', 'repeat', 'end'] as const;

export type ProbeName = (typeof PROBE_NAMES)[number];

/** What each is called on pages. */
export const PROBE_TITLES: Readonly<Record<ProbeName, string>> = {
  copy: 'copying',
  recall: 'recalling',
  brackets: 'brackets',
  sums: 'sums',
  json: 'JSON',
  format: 'following a format',
  repeat: 'new text',
  end: 'ending',
};

export const isProbeName = (name: string): name is ProbeName => PROBE_NAMES.some((each) => each === name);

/** Questions of a probe that is answered by likelihoods; fewer texts are written. */
export const QUESTIONS = 32;

/** The probes that are meant by their names; "all" stands for all of them. In the order of pages, none twice. */
export const probesNamed = (names: readonly (ProbeName | 'all')[]): ProbeName[] =>
  PROBE_NAMES.filter((name) => names.includes('all') || names.includes(name));
