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

/** The scripts of Coppice have some kilobytes. */
const MAX_SCRIPT_BYTES = 2 ** 20;

/** @throws UserError when a script cannot be read */
async function startedBy(folder: string, run: ClusterRun): Promise<Started> {
  const scripts: Script[] = [];
  for (const file of schedulerOf(run.scheduler).scripts(folder)) {
    const { text } = await readTextFile(file, MAX_SCRIPT_BYTES, 'A script of Coppice has a few kilobytes.');
    scripts.push({ file, text });
  }
  return {
    command: [...run.command, ...run.words].map((word) => quoted(word, 'posix')).join(' '),
    asked: Object.entries(run.asked).map(([name, value]) => `${name}=${value}`),
    scripts,
  };
}

/** The run with the seal of its user. @throws UserError when a script cannot be read */
export async function sealed(folder: string, run: ClusterRun): Promise<ClusterRun> {
  return { ...run, seal: await new Seals().of(claimOf(folder, run, await startedBy(folder, run))) };
}

/**
 * The run, if this user submitted it, or agrees now.
 * @throws UserError without consent, and when a script cannot be read
 */
export async function agreed(folder: string, run: ClusterRun, consent: Consent): Promise<ClusterRun> {
  const started = await startedBy(folder, run);
  const seals = new Seals();
  const claim = claimOf(folder, run, started);
  if (await seals.holds(run.seal, claim)) return run;
  if (await consent(started)) return { ...run, seal: await seals.of(claim) };
  throw new UserError(
    'The parts were not submitted again',
    `what ${folder} would start was not agreed to`,
    'Read run.json and the scripts in the folder, or submit the run yourself into another one.',
  );
}

function claimOf(folder: string, run: ClusterRun, { scripts }: Started): string[] {
  const { kind, words, parts, scheduler, asked, command, estimate = null } = run;
  const fields = JSON.stringify([kind, words, parts, scheduler, Object.entries(asked), command, estimate]);
  return ['cluster', folder, fields, ...scripts.map(({ text }) => text)];
}
