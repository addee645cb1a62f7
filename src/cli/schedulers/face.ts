/** How the command line asks for the options of a scheduler. Each has a file of its own name, and a line in `commands/submit.ts`. */
import type { Command } from 'commander';
import type { SchedulerName } from '../../cluster/folder';

export interface SchedulerFace {
  /** The name of its command under `coppice submit`. */
  readonly name: SchedulerName;
  /** Its own name: "Slurm". */
  readonly title: string;
  /** What `coppice submit NAME` does, for the help. */
  readonly description: string;
  /** Adds the scheduler's options, with its own names for them, to the command of a job. */
  readonly addOptions: (command: Command) => Command;
  /** Those that were given, as `ClusterRun.asked` keeps them. @param options of commander, by name */
  readonly asked: (options: Readonly<Record<string, unknown>>) => Record<string, string>;
  /** Words that start Coppice on the cluster, if these are not the ones that started it here. */
  readonly command?: readonly string[];
  /** Why a whole recipe cannot be submitted to it; absent where it can. */
  readonly recipes?: string;
  /** Words after `coppice submit NAME KIND`, one example a line. */
  readonly examples: readonly string[];
}

/** The options of these names that were given: "models-claim" is `modelsClaim` to commander. */
export const givenOf = (names: readonly string[], options: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    names.flatMap((name): [string, string][] => {
      const value = options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );

/** The options of a scheduler whose values are all texts, by name. */
export const namedOptions = (
  known: Readonly<Record<string, { readonly placeholder: string; readonly help: string }>>,
): Pick<SchedulerFace, 'addOptions' | 'asked'> => ({
  addOptions: (command) => {
    for (const [name, { placeholder, help }] of Object.entries(known))
      command.option(`--${name} <${placeholder}>`, help);
    return command;
  },
  asked: (options) => givenOf(Object.keys(known), options),
});
