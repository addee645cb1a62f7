/**
 * What a run on a cluster starts, and whether its user knows that. The folder of a run is shared, and what lies in it is
 * run with the rights of whoever submits: so parts are submitted again unasked only if a seal shows that this user
 * submitted just this, or agreed to it, on this machine.
 */
import { UserError } from '../engine/errors';
import { Seals } from '../engine/files/seals';
import { readTextFile } from '../engine/files/text-file';
import { quoted } from '../format/shell';
import type { ClusterRun } from './folder';
import { schedulerOf } from './schedulers';

/** A file that the scheduler runs. */
export interface Script {
  /** Absolute. */
  readonly file: string;
  readonly text: string;
}

/** What a submission of a run starts. */
export interface Started {
  /** Of a part, for a shell: "coppice score /models/a". */
  readonly command: string;
  /** Options of the scheduler, "partition=gpu". */
  readonly asked: readonly string[];
  /** As they lie in the folder. */
  readonly scripts: readonly Script[];
}

/** Asks the user whether that is to be started. */
export type Consent = (started: Started) => Promise<boolean>;

/** Scripts and recipes have some kilobytes. */
const MAX_BYTES = 16 * 2 ** 20;

/** What all kinds of runs have. */
interface Run {
  readonly asked: Readonly<Record<string, string>>;
  /** Words that start Coppice on a machine of the cluster. */
  readonly command: readonly string[];
  readonly seal?: string;
}

/** What a kind of run starts. */
export interface Sealing<R extends Run> {
  /** In the seal, so that it holds for no other kind. */
  readonly kind: string;
  /** Words after `command`. */
  readonly words: (run: R) => readonly string[];
  /** All fields that say what runs. */
  readonly fields: (run: R) => readonly unknown[];
  /** Files whose texts say what runs; absolute. */
  readonly files: (folder: string, run: R) => readonly string[];
  /** Where the user does not agree. */
  readonly refusal: (folder: string) => { readonly what: string; readonly action: string };
}

/** The run with the seal of its user. @throws UserError when a script cannot be read */
export async function seal<R extends Run>(sealing: Sealing<R>, folder: string, run: R): Promise<R> {
  return { ...run, seal: await new Seals().of(claimOf(sealing, folder, run, await startedBy(sealing, folder, run))) };
}

/**
 * The run, if this user submitted it, or agrees now.
 * @throws UserError without consent, and when a script cannot be read
 */
export async function agree<R extends Run>(sealing: Sealing<R>, folder: string, run: R, consent: Consent): Promise<R> {
  const started = await startedBy(sealing, folder, run);
  const seals = new Seals();
  const claim = claimOf(sealing, folder, run, started);
  if (await seals.holds(run.seal, claim)) return run;
  if (await consent(started)) return { ...run, seal: await seals.of(claim) };
  const { what, action } = sealing.refusal(folder);
  throw new UserError(what, `what ${folder} would start was not agreed to`, action);
}

/** @throws UserError when a script cannot be read */
async function startedBy<R extends Run>({ words, files }: Sealing<R>, folder: string, run: R): Promise<Started> {
  const scripts: Script[] = [];
  for (const file of files(folder, run)) {
    scripts.push({ file, text: (await readTextFile(file, MAX_BYTES, 'It has a few kilobytes.')).text });
  }
  return {
    command: [...run.command, ...words(run)].map((word) => quoted(word, 'posix')).join(' '),
    asked: Object.entries(run.asked).map(([name, value]) => `${name}=${value}`),
    scripts,
  };
}

const claimOf = <R extends Run>(
  { kind, fields }: Sealing<R>,
  folder: string,
  run: R,
  { scripts }: Started,
): string[] => [kind, folder, JSON.stringify(fields(run)), ...scripts.map(({ text }) => text)];

const RUN: Sealing<ClusterRun> = {
  kind: 'cluster',
  words: ({ words }) => words,
  // In an order of its own: seals of earlier submissions hold.
  fields: ({ kind, words, parts, scheduler, asked, command, estimate = null }) => {
    return [kind, words, parts, scheduler, Object.entries(asked), command, estimate];
  },
  files: (folder, { scheduler }) => schedulerOf(scheduler).scripts(folder),
  refusal: () => ({
    what: 'The parts were not submitted again',
    action: 'Read run.json and the scripts in the folder, or submit the run yourself into another one.',
  }),
};

/** The run of one job; see `seal`. */
export const sealed = (folder: string, run: ClusterRun): Promise<ClusterRun> => seal(RUN, folder, run);

/** The run of one job; see `agree`. */
export const agreed = (folder: string, run: ClusterRun, consent: Consent): Promise<ClusterRun> =>
  agree(RUN, folder, run, consent);
