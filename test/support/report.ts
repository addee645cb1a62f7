/** Looks into a report page as its program does. */
import type { ReportData } from '../../src/engine/records/report';

export function dataOfReport(html: string): ReportData {
  const found = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html);
  if (!found) throw new Error('the page carries no data');
  return JSON.parse(found[1]) as ReportData;
}

const PARTS = ['cost', 'curve', 'heal', 'quality', 'retrained', 'samples', 'score', 'training'] as const;

/** Names of what its runs have between them, sorted. */
export const partsOfReport = (html: string): string[] =>
  PARTS.filter((part) => dataOfReport(html).runs.some(({ digest }) => digest[part] !== undefined));
