/** Quotes words for shells. */

export type Shell = 'posix' | 'fish' | 'csh' | 'powershell' | 'cmd';

/** @param path path of the shell's program, from VS Code's terminal settings */
export function shellOf(path: string): Shell {
  const name = (path.split(/[\\/]/).at(-1) ?? '').toLowerCase().replace(/\.exe$/, '');
  if (name === 'pwsh' || name === 'powershell') return 'powershell';
  if (name === 'fish' || name === 'cmd') return name;
  return name === 'csh' || name === 'tcsh' ? 'csh' : 'posix';
}

/** Quotes a word if needed. For cmd, `unquotableInCmd` must be undefined. */
export function quoted(word: string, shell: Shell): string {
  if (PLAIN[shell].test(word)) return word;
  switch (shell) {
    case 'posix':
      return `'${word.replaceAll("'", `'\\''`)}'`;
    case 'fish': // a backslash counts in its quotes
      return `'${word.replace(/[\\']/g, '\\$&')}'`;
    case 'csh': // an exclamation mark and a line break count in its quotes
      return `'${word.replaceAll("'", `'\\''`).replace(/[!\n]/g, '\\$&')}'`;
    case 'powershell': // takes typographic quotes for quotes too
      return `'${word.replace(/['‘’‚‛]/g, '$&$&')}'`;
    case 'cmd':
      // For Windows programs a backslash is an escape only before a quote.
      return `"${word.replace(/(\\*)("|$)/g, (_, slashes: string, quote: string) => slashes + slashes + (quote && '\\"'))}"`;
  }
}

/** The same for the usual shell of this system. */
export const quotedHere = (word: string): string => quoted(word, process.platform === 'win32' ? 'powershell' : 'posix');

/**
 * The first character of a word that cmd cannot quote.
 *
 * cmd expands variables in quotes too, a line break ends the command, and a quote in a word ends the quotes, so that
 * operators after it are active.
 */
export function unquotableInCmd(word: string): string | undefined {
  return /[%\r\n]/.exec(word)?.[0] ?? (word.includes('"') ? /[&|<>^"]/.exec(word.replaceAll('"', ''))?.[0] : undefined);
}

/**
 * A comma makes a list in PowerShell, and separates arguments of batch files, which npm's commands are. PowerShell
 * reads words that look like numbers as numbers (1kb), and splits -a.b; zsh looks for the program of a word that
 * begins with =.
 */
const PLAIN: Readonly<Record<Shell, RegExp>> = {
  posix: /^[\w@%+:,./-][\w@%+=:,./-]*$/,
  fish: /^[\w@+:,./-]+$/,
  csh: /^[\w@%+:,./-]+$/,
  powershell: /^(--[a-z][a-z-]*|[a-z_/\\][\w+:./\\-]*|0|[1-9]\d{0,14})$/i,
  cmd: /^[\w+:./\\-]+$/,
};
