/**
 * What every command is: an id, what it may do, and a function that takes an optional argument object. Whoever calls it
 * with arguments (a key binding, a task, a test) is asked for nothing that they say; from the palette everything is
 * asked, with defaults that make Enter enough.
 */
import * as vscode from 'vscode';
import type { Coppice } from '../coppice';
import { checkpointPathOf, isNode } from '../views/nodes';
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
}

export interface Command<A extends CommonArguments = CommonArguments> {
  readonly id: `coppice.${string}`;
  /** It computes or writes: not in restricted mode. */
  readonly needsTrust?: boolean;
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
  return vscode.commands.registerCommand(command.id, (given: unknown) => invoke(argumentsOf(given)));
}

/** A `when` clause hides commands, but does not keep anybody from calling them. */
function requireTrust({ needsTrust }: AnyCommand): void {
  if (needsTrust) requireTrusted(vscode.workspace.isTrusted);
}

/** A line of the tree, a file of the explorer, a path, or an object of arguments. */
function argumentsOf(given: unknown): CommonArguments {
  if (isNode(given)) {
    const adapter: CommonArguments & { adapter?: string } = given.kind === 'adapter' ? { adapter: given.path } : {};
    return given.kind === 'adapter' ? adapter : { checkpoint: checkpointPathOf(given) };
  }
  if (given instanceof vscode.Uri) return { checkpoint: given.fsPath };
  if (typeof given === 'string') return { checkpoint: given };
  return typeof given === 'object' && given !== null ? given : {};
}
