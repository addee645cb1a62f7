/** Temporary folders of a test process; all are removed when it exits. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders: string[] = [];

process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coppice-test-'));
  folders.push(folder);
  return folder;
}

/** Runs `use` with an empty folder as the machine's temporary one, which it is given a look into. */
export async function withTemporaryFolder(use: (look: () => string[]) => Promise<void>): Promise<void> {
  const { TMPDIR } = process.env;
  const folder = temporaryFolder();
  process.env.TMPDIR = folder;
  try {
    await use(() => readdirSync(folder));
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}
