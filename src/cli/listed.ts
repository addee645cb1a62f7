/** Commands that are only listed in the help of the program: it shows whether one has options, and none of these. */
import { Command } from 'commander';

/** A program whose commands are only listed. */
export class Listing extends Command {
  override createCommand(name?: string): Command {
    return new Listed(name);
  }
}

/** A command with no option but its first, and no commands of its own. */
class Listed extends Command {
  override addOption(...[option]: Parameters<Command['addOption']>): this {
    return this.options.length > 0 ? this : super.addOption(option);
  }
}

export const isListed = (command: Command): boolean => command instanceof Listed;
