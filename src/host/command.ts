/**
 * Defines commands: an id, permissions, and a function with an optional argument object. A command asks only for what
 * its arguments leave out: a key binding, a task or a test passes all of them. From the palette it asks for
 * everything, with defaults that Enter accepts.
 */
import { isObject } from '../format/json';
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import type { GivenFor, Kind } from '../jobs/kinds';
import type { Compute } from '../protocol/jobs';
import { UserError } from '../engine/errors';
import type { StoppedTraining } from '../engine/retrain/loop/stopped';
import { isJobNode, type JobNode } from '../views/jobs/view';
import { checkpointPathOf, isNode, type Node } from '../state/nodes';
import { showFailure } from './failure';
import { requireTrusted } from './restricted';

/** Arguments that every command understands. */
export interface CommonArguments {
  /** Path of the checkpoint. */
  readonly checkpoint?: string;
  /** Overrides the setting. */
  readonly device?: Compute['device'];
  /** Throws errors to the caller instead of showing them. */
  readonly throws?: boolean;
  /** The selected lines of the view. */
  readonly lines?: readonly Node[];
  /** The selected lines of the view "Jobs". */
  readonly jobs?: readonly JobNode[];
}

/** Options of a job that a command takes as arguments. What they are and mean says the job's definition. */
export type JobArguments<K extends Kind, N extends keyof GivenFor<K>> = Partial<Pick<GivenFor<K>, N>>;

export interface Command<A extends CommonArguments = CommonArguments> {
  readonly id: `coppice.${string}`;
  /** It computes or writes, so it does not run in Restricted Mode. */
  readonly needsTrust?: boolean;
  /** Whether it accepts lines of several checkpoints. */
  readonly takesSeveral?: boolean;
  /**
   * @param settle receives all arguments once they are chosen, so that the command can run again with them
   * @returns a result for the caller, or undefined
   */
  readonly run: (coppice: Coppice, args: A, settle: (args: object) => void) => Promise<unknown>;
  /** Changes to the settled arguments when it runs again after a failure. */
  readonly goOn?: (settled: A) => object;
}

/** A command with any arguments. */
export type AnyCommand = Omit<Command, 'run' | 'goOn'> & {
  readonly run: (coppice: Coppice, args: never, settle: (args: object) => void) => Promise<unknown>;
  readonly goOn?: (settled: never) => object;
};

/**
 * Registers a command. Errors are shown here, and cancelling ends here.
 * @param load gives the command, each time that it runs
 */
export function register(coppice: Coppice, id: string, load: () => Promise<AnyCommand>): vscode.Disposable {
  const invoke = async (args: CommonArguments): Promise<unknown> => {
    let settled = args;
    let command: AnyCommand | undefined;
    try {
      command = await load();
      requireTrust(command);
      if (!command.takesSeveral) requireOne(args.lines ?? []);
      return await command.run(coppice, args as never, (chosen) => {
        settled = chosen;
      });
    } catch (error) {
      if (args.throws) throw error;
      showFailure(coppice, error, (changes) => {
        void invoke({ ...settled, ...command?.goOn?.(settled as never), ...changes });
      });
      return undefined;
    }
  };
  return vscode.commands.registerCommand(id, (given: unknown, selected: unknown) =>
    invoke(argumentsOf(coppice, given, selected)),
  );
}

/** A `when` clause hides commands but does not prevent calls. */
function requireTrust({ needsTrust }: AnyCommand): void {
  if (needsTrust) requireTrusted(vscode.workspace.isTrusted);
}

/** Refuses a command for one checkpoint when lines of several are selected: it would not do what the user sees. */
function requireOne(lines: readonly Node[]): void {
  const paths = new Set(lines.map(checkpointPathOf));
  if (paths.size <= 1) return;
  throw new UserError(
    vscode.l10n.t('Lines of several checkpoints are selected'),
    vscode.l10n.t('the command takes one checkpoint at a time'),
    vscode.l10n.t('Select lines of one of them.'),
  );
}

/** Commands of a training's line take its output folder. */
const trainingArguments = ({ out }: StoppedTraining): CommonArguments & { readonly out: string } => ({ out });

/** Commands of a job's line take all selected lines, the id of a job that runs or waits, and the output of a training. */
function jobArguments(selected: readonly JobNode[], given: JobNode): CommonArguments & JobOfLine {
  const { line } = given;
  return {
    jobs: selected.length > 0 ? selected : [given],
    ...('info' in line && { id: line.info.id }),
    ...(line.kind === 'training' && { out: line.training.out }),
  };
}

interface JobOfLine {
  readonly id?: string;
  readonly out?: string;
}

/**
 * Reads the arguments of a call.
 * @param given a line of a tree, a file of the Explorer, a path, an object of arguments, or a list with the focused line
 *   from a key binding (empty while that line is being refreshed)
 * @param selected the selected lines or files including `given`, if there are several
 */
function argumentsOf({ tree, jobs }: Coppice, given: unknown, selected: unknown): CommonArguments {
  if (isJobNode(given)) return jobArguments(Array.isArray(selected) ? selected.filter(isJobNode) : [], given);
  const focused = Array.isArray(given) ? given.find(isJobNode) : undefined;
  if (focused) return jobArguments(jobs.linesAbout(focused), focused);
  if (Array.isArray(given)) return argumentsOfKey(given.filter(isNode).flatMap((line) => tree.linesAbout(line)));
  if (isNode(given)) {
    const lines = Array.isArray(selected) && selected.length > 0 ? selected.filter(isNode) : [given];
    if (given.kind === 'training') return trainingArguments(given.training);
    if (given.kind === 'export') return { lines, checkpoint: given.folder.path };
    const adapter: CommonArguments & { adapter?: string } = given.kind === 'adapter' ? { adapter: given.path } : {};
    const plan: CommonArguments & { plan?: string } = given.kind === 'namedPlan' ? { plan: given.plan.name } : {};
    return { lines, ...plan, ...(given.kind === 'adapter' ? adapter : { checkpoint: checkpointPathOf(given) }) };
  }
  if (given instanceof vscode.Uri) {
    const files = Array.isArray(selected) ? selected.filter((each) => each instanceof vscode.Uri) : [];
    const several: CommonArguments & { files?: string[] } =
      files.length > 1 ? { files: files.map(({ fsPath }) => fsPath) } : {};
    return { checkpoint: given.fsPath, ...several };
  }
  if (typeof given === 'string') return { checkpoint: given };
  return isObject(given) ? given : {};
}

/** @param lines those that a key applies to */
function argumentsOfKey(lines: readonly Node[]): CommonArguments {
  const paths = new Set(lines.map(checkpointPathOf));
  const [checkpoint] = paths;
  return { lines, ...(paths.size === 1 && checkpoint !== undefined && { checkpoint }) };
}
