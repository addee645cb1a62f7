/**
 * How long jobs take on this machine, before they start: what a dialog has so far, as options of a job. Arithmetic on
 * headers and learned speeds; it computes nothing. Does not use VS Code.
 */
import { workOf } from '../../estimates/job';
import type { MachineSpeeds, Time } from '../../estimates/machine';
import { factsOf, type Models, modelsAt } from '../../estimates/models';
import { machineMemory, memoryOf } from '../../estimates/memory';
import { guessedTime, markedTime, memoryWords, roughTime } from '../../estimates/words';
import { type Criterion, criterionInfo } from '../../engine/importance/criteria';
import type { GivenFor, Kind } from '../../jobs/kinds';
import { SELF } from '../../jobs/healing-amounts';
import { l10n } from '../../l10n';
import { drawnOptions } from '../../jobs/options/calibration';
import type { Compute } from '../../protocol/jobs';
import { protectionOf } from '../../state/protection';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from '../coppice';

/** A job as far as it is known; the defaults of its options are added. */
export type PlannedJob<K extends Kind = Kind> = { [P in K]: { readonly kind: P } & Partial<GivenFor<P>> }[K];

/** What jobs work on: a model, and others that are listed. */
type Subject = Pick<Chosen, 'path' | 'checkpoint'>;
export interface Machine {
  readonly config: { readonly compute: Pick<Compute, 'memory'> };
  readonly speeds: MachineSpeeds;
  readonly library: Pick<Coppice['library'], 'peek'>;
  readonly sidecar: { readonly device?: { readonly provider: string } };
}

/** How long jobs take, one after the other; undefined where an amount is not known. */
export function jobTime(coppice: Machine, chosen: Subject, ...jobs: readonly PlannedJob[]): Time | undefined {
  const models = modelsOf(coppice, chosen);
  const work = jobs.map(({ kind, ...options }) => workOf({ kind, options: options }, models));
  if (!work.every((each) => each !== undefined)) return undefined;
  return coppice.speeds.time(work.flat(), coppice.sidecar.device?.provider);
}

function modelsOf({ library }: Machine, { path, checkpoint }: Subject): Models {
  return modelsAt((named) => {
    const found = named === path ? checkpoint : library.peek(named);
    return found && factsOf(found);
  });
}

/** Bytes that a job takes at its peak; undefined where an amount is not known. */
export const jobMemory = (coppice: Machine, chosen: Subject, { kind, ...options }: PlannedJob): number | undefined =>
  memoryOf({ kind, options }, modelsOf(coppice, chosen), machineMemory(coppice.config.compute.memory));

/** "about 1:20 · up to 1.2 GB of memory" of a job that may take much of both. */
export function timeAndMemory(coppice: Machine, chosen: Subject, job: PlannedJob): string {
  const bytes = jobMemory(coppice, chosen, job);
  const time = timeWords(coppice, chosen, job);
  return bytes === undefined ? time : [time, memoryWords(bytes)].join(' · ');
}

/** "about 1:20", "roughly 2 to 9 min (a guess)" */
export const timeWords = (...asked: Parameters<typeof jobTime>): string => wordsOf(jobTime(...asked));

const wordsOf = (time: Time | undefined): string => (time ? markedTime(time) : l10n.t('not known'));

/** What the settings say of scoring: the text and its rows, and blocks that stay. */
export function settingsOptions({ config, sidecar }: Coppice, { architecture }: Pick<Chosen, 'architecture'>) {
  const { length, ...drawn } = config.calibration;
  return {
    objective: config.objective,
    ...drawnOptions({ ...drawn, length: Math.min(length, architecture.context) }),
    keepEnds: config.keepEnds,
    keep: [...protectionOf(architecture.layers, config).locked],
    // What computes is not known before the first job; only the CPU screens.
    device: (sidecar.device?.provider as Compute['device']) ?? config.compute.device,
  };
}

/**
 * "about 1:20"; undefined if it takes no time.
 * @param exact how many blocks must be certain, where others may be screened; undefined for the default
 */
export function scoringTime(
  coppice: Coppice,
  chosen: Chosen,
  criterion: Criterion,
  exact?: number,
): string | undefined {
  if (criterionInfo(criterion).effort === 'none') return undefined;
  const { path: checkpoint } = chosen;
  return timeWords(coppice, chosen, {
    ...{ kind: 'score', checkpoint, criterion, exact },
    ...settingsOptions(coppice, chosen),
  });
}

/** What is healed. */
export interface HealingQuestion {
  readonly removed: readonly number[];
  /** A file, or "self"; undefined for a text that is yet to be chosen. */
  readonly data?: string;
  readonly tokens: number;
  /** A new checkpoint is written. */
  readonly out?: string;
}

/** The job of a healing. */
export const healingOf = ({ path }: Subject, { removed, data, tokens, out }: HealingQuestion): PlannedJob<'heal'> => ({
  ...{ kind: 'heal', checkpoint: path, remove: removed, data: data === undefined ? [] : [data], tokens, out },
});

/** "about 40 s", or "about 2:00 the first time, then 40 s" if the model first writes the text, which is kept for later. */
export function healingWords(coppice: Machine, chosen: Subject, question: HealingQuestion): string {
  const words = timeWords(coppice, chosen, healingOf(chosen, question));
  if (question.data !== SELF) return words;
  const then = jobTime(coppice, chosen, healingOf(chosen, { ...question, data: undefined }));
  if (then === undefined) return words;
  const later = then.measured ? roughTime(then.seconds) : guessedTime(then.seconds);
  return l10n.t('{0} the first time, then {1}', words, later);
}
