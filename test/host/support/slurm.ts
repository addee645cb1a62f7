/** A real Slurm with two nodes for host tests, by the script beside the repository. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as vscode from 'vscode';
import { EXTENSION_ID } from './coppice';

/** One at a time on a machine: its ports are fixed. */
const LOCK = join('/', 'tmp', 'slurm.lock'); // not the temporary folder of this window

export class Slurm {
  private constructor(
    private readonly script: string,
    private readonly folder: string,
    private readonly lock: ChildProcess,
  ) {}

  /** Why there is none; undefined where there can be one. */
  static missing(): string | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
    if (!existsSync(scriptFile())) return `needs ${scriptFile()}`;
    const found = spawnSync('sh', ['-c', 'command -v slurmctld && command -v munged && command -v flock']);
    return found.status === 0 ? undefined : 'needs Slurm (slurm-wlm, munge)';
  }

  /** Starts it; programs that the window starts find it. */
  static async start(): Promise<Slurm> {
    const lock = spawn('flock', [LOCK, 'sh', '-c', 'echo; cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(lock.stdout, 'data');
    const folder = mkdtempSync(join(tmpdir(), 'coppice-slurm-'));
    const script = scriptFile();
    execFileSync('bash', [script, 'start', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
    process.env.SLURM_CONF = join(folder, 'slurm.conf');
    return new Slurm(script, folder, lock);
  }

  stop(): void {
    delete process.env.SLURM_CONF;
    execFileSync('bash', [this.script, 'stop', this.folder]);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    this.lock.stdin?.end();
  }
}

/** Beside the repository, which is the extension under development. */
function scriptFile(): string {
  const root = vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath;
  return resolve(process.env.COPPICE_SHARED ?? join(root, '../shared'), 'cluster/slurm.sh');
}
