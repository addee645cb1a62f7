/** Probes by name, and words about them that every page has. Pure. */

/** In the order of pages. Each has a file in `src/engine/evaluate/probes`; a new one comes last. */
export const PROBE_NAMES = ['copy', 'recall', 'brackets', 'sums', 'json', 'format', 'repeat', 'end'] as const;

export type ProbeName = (typeof PROBE_NAMES)[number];

/** The probes in which a model writes. */
export const WRITTEN_PROBES: readonly ProbeName[] = ['repeat', 'end'];

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
export const QUESTIONS = 24;

/** The probes that are meant by their names; "all" stands for all of them. In the order of pages, none twice. */
export const probesNamed = (names: readonly (ProbeName | 'all')[]): ProbeName[] =>
  PROBE_NAMES.filter((name) => names.includes('all') || names.includes(name));

/** Beside a probe in which the original is no better than a model that guesses. */
export const UNABLE = 'the original cannot do this either';

/** Of a model without another one beside it. */
export const GUESSES = 'no better than guessing';
