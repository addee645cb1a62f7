/** Whether two specs ask for the same job. */
import { isDeepStrictEqual } from 'node:util';
import type { JobSpec } from '../protocol/jobs';
import { optionsIn } from './complete';
import { compute } from './options/compute';

/** Where it computes, and going on where it was stopped, do not make another job of it. */
const HOW: readonly string[] = [...Object.keys(compute), 'resume'];

/** Jobs that write the same output are the same: it is written once. */
export function isSameJob(a: JobSpec, b: JobSpec): boolean {
  if (a.kind !== b.kind) return false;
  const [out, other] = [outOf(a), outOf(b)];
  return out === undefined && other === undefined ? isDeepStrictEqual(askedOf(a), askedOf(b)) : out === other;
}

const outOf = (spec: JobSpec): unknown => ('out' in spec ? spec.out : undefined);

function askedOf(spec: JobSpec): Map<string, unknown> {
  const asked = Object.entries(optionsIn(spec)).filter(([name, value]) => value !== undefined && !HOW.includes(name));
  return new Map(asked);
}
