/**
 * Applies the setting `coppice.logLevel` to the log. VS Code's log channel has its own level, which is "info" unless
 * the user changes it in the Output panel, and extensions cannot set it. Messages below that level are written as
 * information and marked with their level. Does not use VS Code.
 */
import type { LogLevel } from '../protocol/messages';
import type { Log } from '../sidecar/lifecycle';

/** From the most to the least detailed. */
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

/** The part of a LogOutputChannel that is used. */
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
