/** Learns what this machine does in a second from finished jobs, for the estimates of the next ones. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { DEFAULT_DRAWING } from '../engine/importance/drawing';
import {
  evaluationFlops,
  healingFlops,
  rowBlockFlops,
  scoringFlops,
  writingFlops,
} from '../engine/importance/estimate';
import type { JsonObject } from '../format/json';
import { healingRows } from '../jobs/healing-amounts';
import type { Speed } from '../jobs/machine-speeds';
import { checkpointOf } from '../jobs/titles';
import type { HealResult } from '../protocol/heal';
import type { JobKind, JobOutcome, JobSpec } from '../protocol/jobs';
import { learnJob } from '../recipes/estimate';
import { decodedInSecond } from '../recipes/estimate/decoded';
import type { JobEnded } from '../sidecar/client';
import type { Coppice } from './coppice';
import { type Machine, machineSpeeds } from './expected-time';

/** Jobs whose time tells a speed. */
const LEARNED: readonly JobKind[] = ['score', 'eval', 'heal', 'prune'];
/** Jobs whose speed follows from the parts of their work, as in recipes. */
const LEARNED_BY_PARTS = ['retrain', 'curve', 'tasks', 'export', 'merge'] as const satisfies readonly JobKind[];
type LearnedByParts = (typeof LEARNED_BY_PARTS)[number];

/** Learns from a finished job. */
export async function learnSpeed(
  coppice: Pick<Coppice, 'library'> & Machine,
  { spec, outcome, on }: JobEnded,
): Promise<void> {
  const { library, speeds } = coppice;
  // Other machines have other speeds.
  if (!outcome || on !== undefined) return;
  if (isLearnedByParts(spec)) return learnFromParts(coppice, spec, outcome);
  const provider = outcome.device?.provider ?? 'cpu';
  const architectureOf = async (path: string): Promise<Architecture | undefined> => {
    const checkpoint = await library.load(path).catch(() => undefined); // it may be gone
    return checkpoint?.architecture;
  };
  for (const part of await decodedInSecond(spec, outcome, architectureOf))
    machineSpeeds(coppice).learn(part, 1, provider);
  if (!LEARNED.includes(spec.kind)) return;
  const architecture = await architectureOf(checkpointOf(spec));
  if (!architecture) return;
  if (spec.kind === 'heal' || spec.kind === 'prune') {
    const { result } = outcome as JobOutcome<'heal' | 'prune'>;
    const healed = 'writingSeconds' in result ? result : result.healing;
    if (healed && !('adapter' in spec && spec.adapter !== undefined))
      for (const speed of healingSpeeds(architecture, healed)) speeds.note({ provider, ...speed });
    return;
  }
  if (spec.kind !== 'score' && spec.kind !== 'eval') return;
  if (spec.kind === 'eval') {
    const { windows, window, seconds, removed, kl, repetition } = (outcome as JobOutcome<'eval'>).result;
    if (repetition) return; // continuations have another speed
    const blocks = removed.filter((entry) => typeof entry === 'number');
    const rows = { rows: windows, length: window };
    const whole = kl === undefined ? 0 : evaluationFlops(architecture, rows);
    const flops = (evaluationFlops(architecture, rows, blocks) + whole) / seconds;
    speeds.note({ provider, work: 'evaluate', size: rowBlockFlops(architecture, window), flops });
    return;
  }
  const { criterion = 'ppl', granularity = 'block', remove = [], count, keep, objective } = spec;
  if (granularity !== 'block' || remove.length > 0 || (spec.adapter ?? spec.heal) !== undefined) return;
  const { samples: rows = DEFAULT_DRAWING.samples, length = DEFAULT_DRAWING.length } = spec;
  const { seconds, search, screen, precision } = (outcome as JobOutcome<'score'>).result;
  // Other precisions are asked for once, and say nothing about the next run.
  if (precision !== undefined && precision !== 'float32' && precision !== 'mixed') return;
  // Behind a screen, speed is what a sweep in float32 would have: the work is counted as its share.
  const scope = { count, kept: new Set(keep), objective, ...(screen && { exact: screen.exact }) };
  const flops = scoringFlops(architecture, criterion, { rows, length }, scope);
  const speed = flops / (seconds - (search?.seconds ?? 0)); // a search takes the seconds that it is given
  speeds.note({ provider, work: criterion, size: rowBlockFlops(architecture, length), flops: speed });
}

const isLearnedByParts = (spec: JobSpec): spec is Extract<JobSpec, { kind: LearnedByParts }> =>
  LEARNED_BY_PARTS.some((kind) => kind === spec.kind);

/** What takes most of the time of a job is taken to be what its estimate was wrong about. */
async function learnFromParts(
  machine: Machine,
  { kind, ...given }: Extract<JobSpec, { kind: LearnedByParts }>,
  { result, device }: JobOutcome<LearnedByParts>,
): Promise<void> {
  // A resumed training has done a part before; another one may have ended early.
  if (('resume' in given && given.resume) || !('seconds' in result)) return;
  const options: JsonObject = { ...given, ...(kind === 'retrain' && 'steps' in result && { steps: result.steps }) };
  const finished = { job: kind, options, seconds: result.seconds, device: device?.provider ?? null };
  await learnJob(machineSpeeds(machine), finished);
}

/** The speeds of healing, and of writing its text if the model wrote one. Unknown if modules are removed. */
export function healingSpeeds(
  architecture: Architecture,
  { removed, method, ridge, tokens, heldOut, seconds, writingSeconds }: HealResult,
): Omit<Speed, 'provider'>[] {
  const blocks = removed.filter((entry) => typeof entry === 'number');
  if (ridge === 'auto' || blocks.length < removed.length || seconds <= writingSeconds) return [];
  const { length } = healingRows(architecture, tokens);
  const fitted = tokens / length;
  const rows = fitted + (heldOut?.rows ?? 0);
  const size = rowBlockFlops(architecture, length);
  const healing = healingFlops(architecture, blocks, { rows, length }, { method, heldOut: (rows - fitted) / rows });
  const writing = writingFlops(architecture, { rows, length });
  return [
    { work: 'heal', size, flops: healing / (seconds - writingSeconds) },
    // A text that was there takes no time.
    ...(writingSeconds > 1 ? [{ work: 'write' as const, size, flops: writing / writingSeconds }] : []),
  ];
}
