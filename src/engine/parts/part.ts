/** A part of a job's work: 3/8 is the third of eight. Parts run anywhere and in any order. */

export interface Part {
  /** From 1. */
  readonly number: number;
  readonly of: number;
}

/** Slurm's arrays and Kubernetes' indexed jobs end near here, and so does the use of cutting further. */
export const MAX_PARTS = 10_000;

/** "3/8" as a part; undefined for anything else. */
export function parsePart(text: string): Part | undefined {
  const [, number, of] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text.trim()) ?? []).map(Number);
  return number >= 1 && number <= of && of <= MAX_PARTS ? { number, of } : undefined;
}

export const partText = ({ number, of }: Part): string => `${number}/${of}`;
