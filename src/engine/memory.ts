/** How much memory this process has taken. */
import { readFileSync } from 'node:fs';

/** Highest memory of this process so far, in bytes. */
export function peakRssBytes(): number {
  return highWaterMark() ?? process.resourceUsage().maxRSS * 1024;
}

/**
 * As Linux counts it for the program that runs now. What `getrusage` says survives `exec`: it is no less than what the
 * process that started this one had. Undefined on other systems.
 */
function highWaterMark(): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const kib = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined; // no /proc in this container
  }
}
