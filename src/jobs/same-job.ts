/** Whether two specs ask for the same job. */
import { isDeepStrictEqual } from 'node:util';
import type { JobSpec } from '../protocol/jobs';
import { optionsIn } from './complete';
import type { AnyJob } from './define';
import { JOBS } from './definitions';
import { isOfMachine } from './option';

/** Jobs that write the same output are the same: it is written once. */
export function isSameJob(a: JobSpec, b: JobSpec): boolean {
  if (a.kind !== b.kind) return false;
  const [out, other] = [outOf(a), outOf(b)];
  return out === undefined && other === undefined ? isDeepStrictEqual(askedOf(a), askedOf(b)) : out === other;
}

const outOf = (spec: JobSpec): unknown => ('out' in spec ? spec.out : undefined);

/** Where it computes, and going on where it was stopped, do not make another job of it. */
function askedOf(spec: JobSpec): Map<string, unknown> {
  const { options }: AnyJob = JOBS[spec.kind];
  const given: readonly [string, unknown][] = Object.entries(optionsIn(spec));
  return new Map(
    given.filter(([name, value]) => value !== undefined && !isOfMachine(options[name]) && !options[name]?.passing),
  );
}
