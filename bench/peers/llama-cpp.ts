/** llama.cpp for benchmarks: npm's node-llama-cpp, in a process of its own. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TokenRows } from '../../src/engine/model/forward';
import { hasShared, shared } from '../../test/support/shared';
import type { Skipped } from './peer';

const VERSION = '3.22.1';

/** A folder with node-llama-cpp: `COPPICE_LLAMA_CPP`, or a temporary one, into which npm installs it. */
export function llamaCppFolder(): { readonly folder: string; readonly remove: () => void } | Skipped {
  const named = process.env.COPPICE_LLAMA_CPP;
  if (named !== undefined) {
    const isThere = existsSync(join(named, 'node_modules/node-llama-cpp'));
    return isThere ? { folder: named, remove: () => undefined } : { skipped: `${named} has no node-llama-cpp` };
  }
  const folder = mkdtempSync(join(tmpdir(), 'coppice-llama-cpp-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const { platform, arch } = process;
  const system = { darwin: 'mac', win32: 'win' }[platform as string] ?? platform;
  const binary = `@node-llama-cpp/${system}-${arch}${system === 'mac' && arch === 'arm64' ? '-metal' : ''}@${VERSION}`;
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--omit=optional', '--silent'];
  try {
    execFileSync('npm', ['install', ...options, `node-llama-cpp@${VERSION}`, binary], {
      cwd: folder,
      stdio: 'ignore',
      shell: platform === 'win32',
    });
    return { folder, remove };
  } catch (error) {
    remove();
    return { skipped: `npm cannot install node-llama-cpp: ${(error as Error).message}` };
  }
}

export interface LlamaCpp {
  /** Tokens a second of one run. */
  readonly run: () => Promise<number>;
  readonly close: () => void;
}

/** Loads a GGUF file. @throws Error when llama.cpp ends */
export async function startLlamaCpp(
  folder: string,
  file: string,
  {
    threads,
    tokens,
    prompt,
  }: { readonly threads: number; readonly tokens: number; readonly prompt: readonly number[] },
): Promise<LlamaCpp> {
  const script = join(import.meta.dirname, 'llama_cpp.mjs');
  const args = [script, folder, file, String(threads), String(tokens), JSON.stringify(prompt)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async (): Promise<Record<string, unknown>> => {
    const next = await lines.next();
    if (next.done === true) throw new Error('llama.cpp ended');
    const line: string = next.value;
    return line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : answer();
  };
  await answer();
  return {
    run: async () => {
      child.stdin.write('run\n');
      return Number((await answer()).tokensPerSecond);
    },
    close: () => child.stdin.end(),
  };
}

/** Mean loss of rows of tokens, in nats. @param folder that has node-llama-cpp */
export function llamaCppLoss(folder: string, file: string, rows: TokenRows): number {
  const script = join(import.meta.dirname, 'llama_cpp_losses.mjs');
  const temporary = mkdtempSync(join(tmpdir(), 'coppice-bench-'));
  try {
    const rowsFile = join(temporary, 'rows.json');
    writeFileSync(rowsFile, JSON.stringify(rows.map((row) => Array.from(row))));
    const args = [script, folder, file, String(availableParallelism()), rowsFile];
    const printed = execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return (JSON.parse(printed) as { meanNll: number }).meanNll;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * The file that llama.cpp reads where none is named: the model itself if it is a GGUF file, and for the reference model its Q4_1,
 * which a script of the reference material fetches.
 */
export function ownGguf(model: string | undefined): string | undefined {
  if (model !== undefined) return model.endsWith('.gguf') ? model : undefined;
  if (!hasShared) return undefined;
  return execFileSync(process.execPath, [shared('models/get-gguf.mjs')], { encoding: 'utf8' }).trim();
}
