/** Where an export lies: of a line of the view "Jobs" as its record says, else of the argument. */
import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../engine/errors';
import { readRecord } from '../../engine/records/record';
import type { CommonArguments } from '../command';
import { linesIn } from './job-arguments';

/**
 * @returns undefined without a job and without a checkpoint
 * @throws UserError for a job whose export is no longer there
 */
export async function exportedPath(args: CommonArguments): Promise<string | undefined> {
  const [line] = linesIn(args);
  if (!line) return args.checkpoint;
  const out = line.kind === 'finished' ? await outOf(line.run.file) : undefined;
  const isThere = out !== undefined && (await stat(out).catch(() => undefined)) !== undefined;
  if (isThere) return out;
  throw new UserError(
    out === undefined ? vscode.l10n.t('The export cannot be found') : vscode.l10n.t('There is no {0}', basename(out)),
    vscode.l10n.t('it was moved or deleted after it was written'),
    vscode.l10n.t('Run the export again: the job’s menu has “Copy as CLI Command”.'),
  );
}

/** What the record of an export says that it wrote. */
async function outOf(record: string): Promise<string | undefined> {
  const { out } = (await readRecord(record)).results;
  return typeof out === 'string' ? resolve(dirname(record), out) : undefined;
}
