/** One process of a tokenizer, from its start to its end. */
import { type ChildProcess, fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memoryFor } from '../memory';
import { systemReason } from '../system-failure';
import type { Answer, StageSign, Task } from './tasks';

/** A text of 64 MiB takes 3 GiB. */
const MEMORY_MIB = Math.min(4096, Math.floor(memoryFor('tokenizer') / 2 ** 20));
/** Maximum characters kept of the process's error output. */
const LAST_WORDS = 4096;

/** Why a process ended because the system gave too little memory, not because it took too much. */
export const STARVED = 'ended, because the system refuses more memory';

export interface Listener {
  readonly alive: () => void;
  readonly answered: (answer: Answer, by: Running) => void;
  /** @param why the end of a sentence: "ended …" */
  readonly gone: (why: string, who: Running) => void;
}

export class Running {
  /** The last stage that it reported; undefined until it has started. */
  stage: StageSign | undefined;
  private readonly child: ChildProcess;
  private lastWords = '';

  /** @param listener of the one that uses it now */
  constructor(public listener: Listener) {
    this.child = fork(program, [], {
      // When run from source, the program is TypeScript and needs the loader of this process (`--import tsx`).
      execArgv: [...(extname(program) === '.ts' ? process.execArgv : []), `--max-old-space-size=${MEMORY_MIB}`],
      // In an editor this process is Electron; this makes the child run as Node.
      env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    // The pipes are missing if the system had none left; the error says so.
    this.child.stdout?.setEncoding('latin1').on('data', (signs: string) => {
      this.stage = signs.at(-1) as StageSign;
      this.listener.alive();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.lastWords = (this.lastWords + text).slice(-LAST_WORDS);
    });
    this.child.on('message', (answer: Answer) => this.listener.answered(answer, this));
    this.child.on('error', (error) => {
      this.listener.gone(`could not be run: ${systemReason(error)?.why ?? error.message}`, this);
    });
    this.child.on('close', (code, signal) => this.listener.gone(this.end(code, signal), this));
  }

  send(task: Task): void {
    if (this.child.connected) this.child.send(task, () => undefined); // the exit event reports the end
  }

  kill(): void {
    this.child.kill('SIGKILL');
    this.unref();
  }

  ref(): void {
    this.each('ref');
  }

  unref(): void {
    this.each('unref');
  }

  private each(method: 'ref' | 'unref'): void {
    this.child[method]();
    this.child.channel?.[method]();
    for (const pipe of [this.child.stdout, this.child.stderr]) (pipe as Socket | null)?.[method]();
  }

  private end(code: number | null, signal: NodeJS.Signals | null): string {
    if (this.lastWords.includes('Fatal process OOM')) return STARVED;
    if (/out of memory|invalid (array|size|table)|allocation failed/i.test(this.lastWords)) {
      return `took more memory than the ${MEMORY_MIB} MiB allowed`;
    }
    const said = /^\w*Error: .*$/m.exec(this.lastWords)?.[0];
    return `ended its process with ${signal ?? `code ${code}`}${said === undefined ? '' : ` (${said})`}`;
  }
}

/** What every process runs. */
let program = programFile();

/** Takes another file as the program. Bundled, it starts in a quarter of the time that its source takes. */
export function setTokenizerProgram(file: string): void {
  program = file;
}

/** Beside this file when run from source, otherwise beside the bundle. */
function programFile(): string {
  const here = fileURLToPath(import.meta.url);
  return fileURLToPath(new URL(extname(here) === '.ts' ? './process.ts' : './tokenizer.cjs', import.meta.url));
}
