/**
 * What a benchmark found, as data: `npm run bench -- all` makes its table of that. A ratio compares two measurements of one run, so it
 * says something on other machines too.
 */
import { appendFileSync } from 'node:fs';

/** Names the file that collects ratios, a line of JSON for each. Without it they are only printed by the benchmark itself. */
export const RATIOS_FILE = 'COPPICE_BENCH_RATIOS';

/** What was measured on. */
export interface Subject {
  readonly model?: string;
  readonly text?: string;
  readonly precision?: string;
}

export interface Ratio extends Subject {
  /** What is compared with what: "a score in int8, against float32". */
  readonly what: string;
  /** Above 1 is faster, or more, than what it is compared with; `what` says which. */
  readonly ratio: number;
}

let subject: Subject = {};

/** Says what the ratios from here on are measured on. */
export function about(next: Subject): void {
  subject = { ...subject, ...next };
}

/** Notes a ratio. @param how what differs from the subject */
export function noteRatio(what: string, ratio: number, how: Subject = {}): void {
  const file = process.env[RATIOS_FILE];
  if (file === undefined) return;
  const noted: Ratio = { what, ratio, ...subject, ...how };
  appendFileSync(file, `${JSON.stringify(noted)}\n`);
}
