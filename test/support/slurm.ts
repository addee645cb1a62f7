/** A real Slurm of two nodes on this machine (`cluster/slurm.sh` of the reference material). Its ports are fixed: one at a time. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shared } from './shared';
import { temporaryFolder } from './temporary';

const script = shared('cluster', 'slurm.sh');

/** Why no Slurm can be started here; undefined if one can. */
export function noSlurm(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  if (!existsSync(script)) return `needs ${script}`;
  try {
    execFileSync('bash', ['-c', 'exec 3<>/dev/tcp/127.0.0.1/17817'], { stdio: 'ignore' });
    return 'another Slurm runs on its ports';
  } catch {
    return undefined;
  }
}

export class TestSlurm {
  private readonly folder = temporaryFolder();
  readonly env = { SLURM_CONF: join(this.folder, 'slurm.conf') };

  /** Starts the daemons; installs them first where they are missing. */
  constructor() {
    execFileSync('bash', [script, 'start', this.folder], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Ends the daemons, and waits for them: they write into the folder to the last. */
  stop(): void {
    const daemons = execFileSync('bash', ['-c', `cat ${this.folder}/*.pid`], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    execFileSync('bash', [script, 'stop', this.folder], { stdio: 'ignore' });
    const ended = `for p in ${daemons.join(' ')}; do while kill -0 $p; do sleep 0.1; done; done`;
    execFileSync('bash', ['-c', ended], { stdio: 'ignore', timeout: 20_000 });
  }

  run(program: string, ...args: string[]): string {
    return execFileSync(program, args, { env: { ...process.env, ...this.env }, encoding: 'utf8' });
  }

  /**
   * Ends a node with what runs on it, as a power cut does.
   * @param job process of the script that runs there
   */
  cutPower(node: string, job: number): void {
    const step = Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${job}/status`, 'utf8'))?.[1]);
    for (const pid of [Number(readFileSync(join(this.folder, `slurmd-${node}.pid`), 'utf8')), step, job]) {
      process.kill(pid, 'SIGKILL');
    }
  }

  /** Brings a node back after that: it registers again, and then takes jobs. */
  repair(node: string): void {
    this.run('slurmd', '-N', node);
  }

  /** Whether every node takes jobs. */
  isIdle(): boolean {
    const states = this.run('sinfo', '-h', '-N', '-o', '%T').trim().split('\n');
    return states.every((state) => state === 'idle');
  }
}
