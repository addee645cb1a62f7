/** Probes on the page of `coppice tasks`: what each model scores, and what a further one has lost of the first one's. */
import { GUESSES, PROBE_NAMES, type ProbeName, UNABLE } from '../../format/probes';
import type { ModelTasks, ProbeDifference, TasksComparison } from '../../jobs/results/tasks';
import { table } from '../terminal/text';
import { points, pValue, share } from './shares';

/** A line for each probe, a column for each model; empty where none was asked for. */
export function probeScores(models: readonly ModelTasks[], shown: (text: string) => string): string[] {
  const [first] = models;
  if (!first.probes) return [];
  const rows = named(first.probes).map(([name, { items, able }]) => [
    name,
    String(items),
    ...models.map(({ probes }) => share(probes?.[name]?.score, probes?.[name]?.stderr)),
    able ? '' : models.length > 1 ? UNABLE : GUESSES,
  ]);
  return table(['probe', '>items', ...models.map(({ label }) => `>${shown(label)}`), ''], rows);
}

/** Of one further model. */
export function probeDifferences({ probes }: TasksComparison['differences'][number]): string[] {
  if (!probes) return [];
  const row = (name: string, each: ProbeDifference): string[] =>
    each.able
      ? [name, points(each), String(each.lost), String(each.gained), pValue(each.pValue)]
      : [name, '–', '', '', UNABLE];
  return table(
    ['probe', '>difference', '>lost', '>gained', '>p (McNemar)'],
    named(probes).map(([name, each]) => row(name, each)),
  );
}

const named = <T>(probes: Readonly<Partial<Record<ProbeName, T>>>): [ProbeName, T][] =>
  PROBE_NAMES.flatMap((name): [ProbeName, T][] => {
    const own = probes[name];
    return own === undefined ? [] : [[name, own]];
  });
