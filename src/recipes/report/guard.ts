/** A report for a page of the editor. Pure. */
import { createHash } from 'node:crypto';
import type { ReportAssets } from '../../engine/records/report';

/**
 * The file may have come with a repository: no program runs but the one of this installation, and nothing is loaded. A
 * report of another version shows everything but its charts.
 * @param html the file of a report
 */
export function guardedReport(html: string, { script }: Pick<ReportAssets, 'script'>): string {
  const hash = createHash('sha256').update(script).digest('base64');
  const loads = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data: blob:`;
  const policy = `${loads}; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="${policy}">${html}`;
}
