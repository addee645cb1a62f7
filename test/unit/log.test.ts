/** The setting coppice.logLevel decides what is in the log, whatever the level of VS Code's channel. */
import assert from 'node:assert/strict';
import { type Channel, levelledLog } from '../../src/host/log';
import type { LogLevel } from '../../src/protocol/messages';

const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** What a channel of this level shows of a line at each level. */
function shown(channelLevel: number, wanted: LogLevel): string[] {
  const lines: string[] = [];
  const line =
    (level: LogLevel) =>
    (text: string): void => {
      if (channelLevel > 0 && LEVELS.indexOf(level) + 1 >= channelLevel) lines.push(`${level}: ${text}`);
    };
  const [trace, debug, info, warn, error] = LEVELS.map(line);
  const channel: Channel = { logLevel: channelLevel, trace, debug, info, warn, error };
  const log = levelledLog(channel, () => wanted);
  for (const level of LEVELS) log[level]('x');
  return lines;
}

describe('the log', () => {
  it('shows what the setting asks for', () => {
    const [TRACE, INFO] = [1, 3];
    assert.deepEqual(shown(INFO, 'info'), ['info: x', 'warn: x', 'error: x']);
    assert.deepEqual(shown(INFO, 'error'), ['error: x']);
    assert.deepEqual(shown(INFO, 'debug'), ['info: [debug] x', 'info: x', 'warn: x', 'error: x']);
    assert.deepEqual(shown(INFO, 'trace').slice(0, 2), ['info: [trace] x', 'info: [debug] x']);
    assert.deepEqual(shown(TRACE, 'debug'), ['debug: x', 'info: x', 'warn: x', 'error: x']);
  });

  it('stays as quiet as the channel that was turned down', () => {
    const [OFF, WARNING] = [0, 4];
    assert.deepEqual(shown(OFF, 'trace'), []);
    assert.deepEqual(shown(WARNING, 'trace'), ['warn: x', 'error: x']);
  });
});
