/** Memory: how much this process has taken, and how much of the machine's each use may take. */
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { sharers } from './machine-share';

/** What a use of memory may take, as a share of all memory of the machine or of the memory that is free now. */
const SHARES = {
  /** Hidden states of a model without a set limit. */
  hiddenStates: { of: 'total', share: 1 / 8 },
  /** Hidden states of the model that answers what-if questions; it stays open beside the jobs. */
  whatIfStates: { of: 'total', share: 1 / 16 },
  /** The process of the tokenizer. */
  tokenizer: { of: 'total', share: 1 / 2 },
  /** Weights of the open sessions of a sweep that passes over the model several times. */
  sweepSessions: { of: 'free', share: 0.15 },
  /** Weights while a model writes text. */
  decoding: { of: 'free', share: 0.7 },
  /** Weights of models that write text, before their precision is lowered. */
  text: { of: 'free', share: 0.5 },
  /** Weights of the open sessions of a training, which are in memory twice. */
  trainingSessions: { of: 'free', share: 0.4 },
  /** Activations of a training, kept for the backward pass. */
  trainingActivations: { of: 'free', share: 0.3 },
  /** Weights of the open sessions of a teacher, which are in memory twice. */
  teacherSessions: { of: 'free', share: 0.25 },
  /** All of a training of every weight. */
  fullTraining: { of: 'free', share: 1 },
} as const;

/** The share of a use, for estimates before anything runs. */
export const memoryShare = (use: keyof typeof SHARES): number => SHARES[use].share;

/** Bytes that other jobs of this machine may take; they may not have taken them yet. */
let claimed = 0;

/** Leaves memory to jobs that began before this one. */
export function leaveToOthers(bytes: number): void {
  claimed = bytes;
}

/** Memory of this machine, in bytes: of all jobs that share it, each has a part (COPPICE_JOBS). */
export const sharedTotal = (): number => totalmem() / sharers();

/** What is free of it, less what other jobs may still take. */
export const sharedFree = (): number => Math.max(0, Math.min(freemem(), sharedTotal(), totalmem() - claimed));

/** Bytes that a use of memory may take. */
export function memoryFor(use: keyof typeof SHARES): number {
  const { of, share } = SHARES[use];
  return share * (of === 'total' ? sharedTotal() : sharedFree());
}

/**
 * Bytes that this process can take in all: what it has, and what the machine or its container still gives, as the
 * operating system says.
 */
export function memoryLimit(): number {
  return process.memoryUsage.rss() + (availableMemory() ?? freemem());
}

/** Respects the limits of a container. Node before 20.13 does not know it. */
function availableMemory(): number | undefined {
  return (process as { readonly availableMemory?: () => number }).availableMemory?.();
}

/** Highest memory of this process so far, in bytes. */
export function peakRssBytes(): number {
  return highWaterMark() ?? process.resourceUsage().maxRSS * 1024;
}

/**
 * The count of Linux for the current program. The value of `getrusage` survives `exec`: it is at least the peak of the
 * process that started this one. Undefined on other systems.
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
