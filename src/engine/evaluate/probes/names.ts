/** The probes by name, in the order of pages. Each is a file of this folder. */
export const PROBE_NAMES = ['copy', 'recall', 'brackets', 'sums', 'json', 'format', 'repeat', 'end'] as const;

export type ProbeName = (typeof PROBE_NAMES)[number];

export const isProbeName = (name: string): name is ProbeName => PROBE_NAMES.some((each) => each === name);
