/**
 * The log as the setting `coppice.logLevel` wants it. VS Code's log channel has a level of its own, "info" unless the
 * user has changed it in the Output panel, and no extension can set it: what the setting asks for beyond that is written
 * as information, marked with its level. Knows nothing of VS Code.
 */
import type { LogLevel } from '../protocol/messages';
import type { Log } from '../sidecar/lifecycle';

/** From what tells most to what tells least. */
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** A LogOutputChannel is one. */
export type Channel = Log & {
  /** 0 is off, 1 is trace, 5 is error. */
  readonly logLevel: number;
};

export function levelledLog(channel: Channel, wanted: () => LogLevel): Log {
  const write =
    (level: LogLevel) =>
    (text: string): void => {
      const rank = LEVELS.indexOf(level);
      if (rank < LEVELS.indexOf(wanted())) return;
      const shown = channel.logLevel > 0 && channel.logLevel <= rank + 1;
      if (shown || rank >= LEVELS.indexOf('info')) channel[level](text);
      else channel.info(`[${level}] ${text}`);
    };
  const [trace, debug, info, warn, error] = LEVELS.map(write);
  return { trace, debug, info, warn, error };
}
