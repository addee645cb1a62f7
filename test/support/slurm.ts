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

  stop(): void {
    execFileSync('bash', [script, 'stop', this.folder], { stdio: 'ignore' });
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
}
