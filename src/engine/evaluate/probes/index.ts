/** The probes, and each as a task of the questions that a seed makes. */
import { createHash } from 'node:crypto';
import { Random } from '../../random';
import type { ProbeOfTask } from '../tasks/item';
import type { TaskFromFile } from '../tasks/read';
import { brackets } from './brackets';
import { copy } from './copy';
import { end } from './end';
import { format } from './format';
import { json } from './json';
import { PROBE_NAMES, PROBE_TITLES, type ProbeName } from '../../../format/probes';
import type { Probe } from './probe';
import { recall } from './recall';
import { repeat } from './repeat';
import { sums } from './sums';

export const PROBES: Readonly<Record<ProbeName, Probe>> = { copy, recall, brackets, sums, json, format, repeat, end };

/** A probe's questions as a task. */
export interface ProbeTask extends TaskFromFile {
  readonly probe: ProbeOfTask;
}

/** Seed of the texts where none is given. */
export const DEFAULT_PROBE_SEED = 0;

/**
 * The questions of a probe.
 * @param seed an integer from 0 to 2³² − 1 @param limit questions at most; all when undefined
 */
export function probeTask(name: ProbeName, seed = DEFAULT_PROBE_SEED, limit = Infinity): ProbeTask {
  const { chance, items } = PROBES[name];
  // Every probe has a stream of its own: what one draws changes no other.
  const own = PROBE_NAMES.indexOf(name);
  const every = items(new Random(seed * STREAMS + own)).map((each, item) => ({ item, ...each }));
  // Of all: kept answers stay good where more questions are asked.
  const sha256 = createHash('sha256').update(JSON.stringify(every)).digest('hex');
  const all = every.slice(0, limit);
  return {
    name: `probe:${name}`,
    title: PROBE_TITLES[name],
    file: name,
    reported: 'acc',
    normalised: false,
    choiceItems: all.flatMap((each) => ('choices' in each ? each : [])),
    writtenItems: all.flatMap((each) => ('prompt' in each ? each : [])),
    inputs: [{ role: 'probe', name, sha256 }],
    warnings: [],
    probe: { name, chance, sha256 },
  };
}

const STREAMS = 256;
