/**
 * Features of the two streams of a terminal: colours, Unicode, a line that is rewritten in place. They are determined
 * once from the streams and the environment.
 */

/** The used part of a `tty.WriteStream`. */
export interface StreamLike {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalFeatures {
  /** The stream is a terminal, so a person reads it. */
  readonly terminal: boolean;
  readonly colour: boolean;
  /** The stream shows characters outside ASCII correctly. */
  readonly unicode: boolean;
  /** The cursor can return to the start of the line. */
  readonly rewrites: boolean;
  readonly columns: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Colours need a terminal that is not "dumb", no `NO_COLOR` (https://no-color.org: set and not empty) and no
 * `--no-color` (`wantsColour` false).
 */
export function terminalFeaturesOf(
  stream: StreamLike,
  env: Environment,
  wantsColour: boolean,
  platform = process.platform,
): TerminalFeatures {
  const terminal = stream.isTTY === true;
  const rewrites = terminal && env.TERM !== 'dumb';
  return {
    terminal,
    rewrites,
    colour: rewrites && wantsColour && !env.NO_COLOR,
    unicode: showsUnicode(env, platform),
    columns: terminal && stream.columns !== undefined && stream.columns > 0 ? stream.columns : 80,
  };
}

/** On POSIX the locale tells; on Windows newer terminals support it. */
function showsUnicode(env: Environment, platform: NodeJS.Platform): boolean {
  if (platform === 'win32') {
    return Boolean(env.WT_SESSION) || env.TERM_PROGRAM === 'vscode' || env.ConEmuTask !== undefined;
  }
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  return /utf-?8/i.test(locale);
}
