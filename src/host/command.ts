/**
 * What every command is: an id, what it may do, and a function that takes an optional argument object. Whoever calls it
 * with arguments (a key binding, a task, a test) is asked for nothing that they say; from the palette everything is
 * asked, with defaults that make Enter enough.
 */
import * as vscode from 'vscode';
import type { Coppice } from './coppice';
import { UserError } from '../engine/errors';
import type { StoppedTraining } from '../engine/retrain/loop/stopped';
import { checkpointPathOf, isNode, type Node } from '../views/nodes';
import { showFailure } from './failure';
import { requireTrusted } from './restricted';

/** Arguments that every command understands. */
export interface CommonArguments {
  /** Path of the checkpoint that it is about. */
  readonly checkpoint?: string;
  /** Overrides the setting. */
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
  /** Errors go to the caller instead of the user. */
  readonly throws?: boolean;
  /** The lines of the view that were selected for it. */
  readonly lines?: readonly Node[];
}

export interface Command<A extends CommonArguments = CommonArguments> {
  readonly id: `coppice.${string}`;
  /** It computes or writes: not in restricted mode. */
  readonly needsTrust?: boolean;
  /** Whether it takes lines of several checkpoints at once. */
  readonly takesSeveral?: boolean;
  /**
   * @param settle to be called with all arguments once they are chosen, so that the command can be run again as it was
   * @returns what a caller may want to know: a result, or undefined
   */
  readonly run: (coppice: Coppice, args: A, settle: (args: object) => void) => Promise<unknown>;
  /** What has to be other when it runs again after it failed in the middle, by what it had settled on. */
  readonly goOn?: (settled: A) => object;
}

/** Any command, with arguments of its own. */
export type AnyCommand = Omit<Command, 'run' | 'goOn'> & {
  readonly run: (coppice: Coppice, args: never, settle: (args: object) => void) => Promise<unknown>;
  readonly goOn?: (settled: never) => object;
};

/** Registers a command; errors and cancelling end here. */
export function register(coppice: Coppice, command: AnyCommand): vscode.Disposable {
  const invoke = async (args: CommonArguments): Promise<unknown> => {
    let settled = args;
    try {
      requireTrust(command);
      if (!command.takesSeveral) requireOne(args.lines ?? []);
      return await command.run(coppice, args as never, (chosen) => {
        settled = chosen;
      });
    } catch (error) {
      if (args.throws) throw error;
      showFailure(coppice, error, (changes) => {
        void invoke({ ...settled, ...command.goOn?.(settled as never), ...changes });
      });
      return undefined;
    }
  };
  return vscode.commands.registerCommand(command.id, (given: unknown, selected: unknown) =>
    invoke(argumentsOf(coppice, given, selected)),
  );
}

/** A `when` clause hides commands, but does not keep anybody from calling them. */
function requireTrust({ needsTrust }: AnyCommand): void {
  if (needsTrust) requireTrusted(vscode.workspace.isTrusted);
}

/** A command for one checkpoint is refused when lines of several are selected: it would not do what the user sees. */
function requireOne(lines: readonly Node[]): void {
  const paths = new Set(lines.map(checkpointPathOf));
  if (paths.size <= 1) return;
  throw new UserError(
    vscode.l10n.t('Lines of several checkpoints are selected'),
    vscode.l10n.t('the command takes one checkpoint at a time'),
    vscode.l10n.t('Select lines of one of them.'),
  );
}

/** The commands that a training's line has take its output. */
const trainingArguments = ({ out }: StoppedTraining): CommonArguments & { readonly out: string } => ({ out });

/**
 * A line of the tree, a file of the explorer, a path, an object of arguments, or a list that holds the line with the
 * focus, as key bindings give it (nothing is in it while that line is being read again).
 * @param selected the lines that are selected, `given` among them, where there are several
 */
function argumentsOf({ tree }: Coppice, given: unknown, selected: unknown): CommonArguments {
  if (Array.isArray(given)) return { lines: given.filter(isNode).flatMap((focused) => tree.linesAbout(focused)) };
  if (isNode(given)) {
    const lines = Array.isArray(selected) && selected.length > 0 ? selected.filter(isNode) : [given];
    if (given.kind === 'training') return trainingArguments(given.training);
    const adapter: CommonArguments & { adapter?: string } = given.kind === 'adapter' ? { adapter: given.path } : {};
    return { lines, ...(given.kind === 'adapter' ? adapter : { checkpoint: checkpointPathOf(given) }) };
  }
  if (given instanceof vscode.Uri) return { checkpoint: given.fsPath };
  if (typeof given === 'string') return { checkpoint: given };
  return typeof given === 'object' && given !== null ? given : {};
}
