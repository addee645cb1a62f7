/** Messages of the program as the protocol's messages of a log. Stderr stays for what the client cannot be told. */
import type { Server } from './core';
import type { LoggingLevel } from '@modelcontextprotocol/sdk/types.js';
import type { LogLevel } from '../protocol/messages';

const LEVELS: Readonly<Record<LogLevel, LoggingLevel>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  error: 'error',
};

/** A log whose lines go to the client. Before the client is ready and after its end there is nobody to tell. */
export function logTo(server: Server): Readonly<Record<LogLevel, (text: string) => void>> {
  const at = (level: LogLevel) => (text: string) => {
    if (!server.getClientCapabilities()) return;
    void server.sendLoggingMessage({ level: LEVELS[level], logger: 'coppice', data: text }).catch(() => undefined);
  };
  return { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
