/** The help of the program makes no command whole, and says what it would say of whole ones. */
import assert from 'node:assert/strict';
import type { Command } from 'commander';
import { buildProgram } from '../../../src/cli/program';

const optionsOf = (program: Command): number => program.commands.reduce((sum, { options }) => sum + options.length, 0);

describe('listed commands', () => {
  for (const word of ['--help', '-h']) {
    it(`are in the help of ${word} as whole ones are`, () => {
      const [whole, listed] = [buildProgram(() => undefined), buildProgram(() => undefined, [word])];
      assert.equal(listed.helpInformation(), whole.helpInformation());
      assert.ok(optionsOf(listed) <= listed.commands.length && optionsOf(whole) > 100);
    });
  }

  it('are whole where a command is named', () => {
    const [score] = buildProgram(() => undefined, ['score', '--help']).commands;
    const whole = buildProgram(() => undefined).commands.find((command) => command.name() === 'score');
    assert.equal(score.helpInformation(), whole!.helpInformation());
    const help = buildProgram(() => undefined, ['help', 'score']).commands.find(
      (command) => command.name() === 'score',
    );
    assert.equal(help!.helpInformation(), whole!.helpInformation());
  });
});
