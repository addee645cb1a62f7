/** The files of an export: their sizes and hashes, and the record among them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { hashFile } from '../../engine/files/regular-file';
import { writeWhole } from '../../engine/files/whole-file';
import { calibrationsOf } from '../../engine/records/calibrations';
import type { RunDetails } from '../../engine/records/details';
import { newRecord, RECORD_NAME, recordTextInModel } from '../../engine/records/record';
import { sourceChanges, withNotes } from '../../engine/records/source-changes';
import type { ExportedFile, ExportResult } from '../results/export';
import type { Exporting } from './export-writers';

/**
 * The files at a path, by name; all but the record, which names them.
 * @param known hashes of files that were read already, by name
 */
export async function exportedFiles(path: string, known?: ReadonlyMap<string, string>): Promise<ExportedFile[]> {
  const { size, isFolder } = await kindOf(path);
  if (!isFolder) return [{ name: basename(path), bytes: size }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => name !== RECORD_NAME)
    .sort();
  const files: ExportedFile[] = [];
  for (const name of names) {
    const file = join(path, name);
    files.push({ name, bytes: (await kindOf(file)).size, sha256: known?.get(name) ?? (await hashFile(file)) });
  }
  return files;
}

async function kindOf(path: string): Promise<{ readonly size: number; readonly isFolder: boolean }> {
  const stats = await stat(path);
  return { size: stats.size, isFolder: stats.isDirectory() };
}

/** Writes the record of the run into the folder. */
export async function writeRecordOf(
  { opened: { checkpoint }, started }: Exporting,
  folder: string,
  results: ExportResult,
  details: RunDetails,
): Promise<void> {
  const { inputs, ...run } = details;
  const { out, ...published } = results; // the path is the user's own
  const record = newRecord({
    ...run,
    kind: 'export',
    inputs: [...inputs, ...(await calibrationsOf(checkpoint))],
    results: { ...published, out: basename(out) },
    started,
  });
  await writeWhole(join(folder, RECORD_NAME), recordTextInModel(withNotes(record, await sourceChanges([checkpoint]))));
}
