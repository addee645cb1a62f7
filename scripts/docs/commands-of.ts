/** What commander knows of the commands of the program. */
import type { EventEmitter } from 'node:events';
import type { Command, Option } from 'commander';
import { buildProgram } from '../../src/cli/program';

/** A command with its name as it is typed after `coppice`. */
export interface Named {
  readonly name: string;
  readonly command: Command;
}

export const program = buildProgram(() => undefined);

/** All commands, in the order of the help. */
export const commands: readonly Named[] = program.commands.map((command) => ({ name: command.name(), command }));

/** "submit slurm score", "submit slurm eval" …: what can be run below a command; itself, if it has no commands. */
export function leavesOf({ name, command }: Named): readonly Named[] {
  if (command.commands.length === 0) return [{ name, command }];
  const shown = command
    .createHelp()
    .visibleCommands(command)
    .filter((inner) => inner.name() !== 'help');
  return shown.flatMap((inner) => leavesOf({ name: `${name} ${inner.name()}`, command: inner }));
}

/** The options that the help shows. */
export const shownOptions = (command: Command): readonly Option[] => command.options.filter(({ hidden }) => !hidden);

/** "coppice score [options] <checkpoint>" */
export const usageOf = ({ name, command }: Named): string => `coppice ${name} ${command.usage()}`;

/** What stands behind the options in the help: a text, and examples without their heading. */
export function afterHelp(command: Command): { readonly notes: string; readonly examples: readonly string[] } {
  const written: string[] = [];
  // What `addHelpText` listens to; commander's types do not say that a command is an emitter.
  const emitter = command as unknown as EventEmitter;
  emitter.emit('afterHelp', { error: false, command, write: (text: string) => written.push(text) });
  const [notes, examples = ''] = written.join('').split(/^Examples:\n/m);
  const [lines, more = ''] = examples.split(/\n\n/);
  return {
    notes: [notes, more]
      .map((text) => text.trim())
      .filter(Boolean)
      .join('\n\n'),
    examples: lines
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
  };
}
