/**
 * What the two streams of a terminal can show: colours, Unicode, a line that is rewritten in place. Decided once from
 * the streams and the environment, so that everything else only asks.
 */

/** The part of a `tty.WriteStream` that matters here. */
export interface StreamLike {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalFeatures {
  /** A person is looking: the stream is a terminal. */
  readonly terminal: boolean;
  readonly colour: boolean;
  /** Characters outside ASCII come out as meant. */
  readonly unicode: boolean;
  /** The cursor can go back to the start of the line. */
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

/** POSIX says it by the locale; Windows by being one of its newer terminals. */
function showsUnicode(env: Environment, platform: NodeJS.Platform): boolean {
  if (platform === 'win32') {
    return Boolean(env.WT_SESSION) || env.TERM_PROGRAM === 'vscode' || env.ConEmuTask !== undefined;
  }
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  return /utf-?8/i.test(locale);
}
