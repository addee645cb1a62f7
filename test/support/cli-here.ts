/**
 * The command line in the process of the tests, one command after the other: a process of its own takes longer to start than most
 * commands take to run. Folder, environment, arguments and streams are those that its own process would have.
 */
import { Writable } from 'node:stream';
import { runCommandLine } from '../../src/cli/run';

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What it would be called with: Node, its file, and the words after `coppice`. */
  readonly argv: readonly string[];
}

let last: Promise<unknown> = Promise.resolve();

/** Runs a command when those before it have ended. */
export function runHere(place: Place): Promise<Said> {
  const result = last.then(() => runNow(place));
  last = result.catch(() => undefined);
  return result;
}

async function runNow({ cwd, env, argv }: Place): Promise<Said> {
  const [stdout, stderr] = [new Kept(), new Kept()];
  const back = process.cwd();
  const put = [
    replace('stdout', stdout),
    replace('stderr', stderr),
    replace('argv', [...argv]),
    replaceEnvironment(env),
  ];
  try {
    process.chdir(cwd);
    const code = await runCommandLine(argv.slice(2));
    return { code, stdout: stdout.text, stderr: stderr.text };
  } finally {
    for (const undo of put) undo();
    process.chdir(back);
  }
}

/** A stream that is neither a terminal nor a file. */
class Kept extends Writable {
  text = '';
  constructor() {
    super({ decodeStrings: false });
  }
  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

/** Sets the variables of this process, which other programs and the home folder follow. @returns puts back what was there */
function replaceEnvironment(env: Readonly<Record<string, string>>): () => void {
  const before = { ...process.env };
  const set = (to: NodeJS.ProcessEnv): void => {
    for (const name of Object.keys(process.env)) if (to[name] === undefined) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, to);
  };
  set(env);
  return () => set(before);
}

/** Gives `process` something else there. @returns puts back what was there */
function replace(name: 'stdout' | 'stderr' | 'argv', value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(process, name)!;
  Object.defineProperty(process, name, { value, configurable: true, enumerable: true, writable: true });
  return () => Object.defineProperty(process, name, before);
}
