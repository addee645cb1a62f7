/** Figures of repeated measurements, and how they are printed. */

/** Seconds that `work` takes, and what it gives. */
export async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly result: T }> {
  const start = performance.now();
  const result = await work();
  return { seconds: (performance.now() - start) / 1000, result };
}

/** "312 MB" (10⁶ bytes) */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;

/** "87 %" */
export const percent = (ratio: number): string => `${(100 * ratio).toFixed(0)} %`;

/** "3.02 ×" */
export const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;

/** Prints "name   text" lines with the texts in one column. */
export function printFacts(facts: readonly (readonly [name: string, text: string])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length));
  for (const [name, text] of facts) console.log(`${name.padEnd(width)}  ${text}`);
}
