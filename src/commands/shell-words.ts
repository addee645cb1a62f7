/** Words as a shell takes them unchanged. Each has its own way. */
import { basename } from 'node:path/win32';

export type Shell = 'posix' | 'powershell' | 'cmd';

/** @param path of the shell's program, as VS Code has it for its terminals */
export function shellOf(path: string): Shell {
  const name = basename(path).toLowerCase();
  if (/^(pwsh|powershell)(\.exe)?$/.test(name)) return 'powershell';
  return name === 'cmd.exe' ? 'cmd' : 'posix';
}

/** In quotes where the shell would read more into it. */
export function quoted(word: string, shell: Shell): string {
  if (PLAIN[shell].test(word)) return word;
  switch (shell) {
    case 'posix':
      return `'${word.replaceAll("'", `'\\''`)}'`;
    case 'powershell':
      return `'${word.replaceAll("'", "''")}'`;
    case 'cmd':
      // What Windows programs make of a line: a backslash counts only before a quote.
      return `"${word.replace(/(\\*)("|$)/g, (_, slashes: string, quote: string) => slashes + slashes + (quote && '\\"'))}"`;
  }
}

/** A comma makes a list in PowerShell, and separates arguments of batch files, which npm's commands are. */
const PLAIN: Readonly<Record<Shell, RegExp>> = {
  posix: /^[\w@%+=:,./-]+$/,
  powershell: /^[\w+:./\\-]+$/,
  cmd: /^[\w+:./\\-]+$/,
};
