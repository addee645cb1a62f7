/**
 * The reference material that lies beside the repository: real checkpoints, golden numbers, broken files. It is no
 * part of the repository, so a test that needs it says so and is skipped where it is missing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The folder with the reference material: COPPICE_SHARED, else `shared` beside the repository. */
export const sharedFolder = resolve(process.env.COPPICE_SHARED ?? join(root, '../shared'));

/** Whether the reference material is there. */
export const hasShared = existsSync(join(sharedFolder, 'golden')) && existsSync(join(sharedFolder, 'models'));

/** `npm run test:full`: every golden in full, however long it takes. */
export const full = process.env.COPPICE_TEST_FULL === '1';

/** An absolute path inside the reference material. */
export const shared = (...parts: string[]): string => join(sharedFolder, ...parts);

/** A test that needs the reference material. */
export function itShared(title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  if (hasShared) it(title, body);
  else it.skip(`${title} (needs ${sharedFolder})`);
}

/** A group of tests that needs the reference material; its body runs only where that is, and may read it at once. */
export function describeShared(title: string, body: (this: Mocha.Suite) => void): void {
  if (hasShared) describe(title, body);
  else it.skip(`${title} (needs ${sharedFolder})`);
}

/** A test of the reference material that only `npm run test:full` has the time for. */
export function itFull(title: string, body: Mocha.AsyncFunc | Mocha.Func): void {
  if (full) itShared(title, body);
  else it.skip(`${title} (in test:full)`);
}

let smollm2: string | undefined;

/**
 * The folder of SmolLM2-135M-Instruct (BF16, 30 blocks). The first call on a machine takes about 15 s and a download;
 * call it from a hook or a test, not while tests are being registered.
 */
export function smollm2Folder(): string {
  smollm2 ??= execFileSync(process.execPath, [shared('models/get-smollm2.mjs')], { encoding: 'utf8' }).trim();
  return smollm2;
}

let gguf: string | undefined;

/** The GGUF file of SmolLM2-135M-Instruct (Q4_1, 98 MB), as `smollm2Folder`. */
export function smollm2Gguf(): string {
  gguf ??= execFileSync(process.execPath, [shared('models/get-gguf.mjs')], { encoding: 'utf8' }).trim();
  return gguf;
}

let gemma: string | undefined;

/** The file of Gemma 3 270M (Q4_K_M, 253 MB), as `smollm2Folder`. */
export function gemma3Gguf(): string {
  gemma ??= execFileSync(process.execPath, [shared('models/get-gemma3.mjs')], { encoding: 'utf8' }).trim();
  return gemma;
}
