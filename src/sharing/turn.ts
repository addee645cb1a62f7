/**
 * Jobs of one machine share its memory and threads. Each says what it may take; one that does not fit beside those before it
 * waits, instead of swapping.
 */
import { availableParallelism, totalmem } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { systemErrorCode, throwIfCancelled, UserError } from '../engine/errors';
import { type Sharing, sharingOf } from '../engine/machine-share';
import { leaveToOthers } from '../engine/memory';
import { roughBytes } from '../estimates/words';
import { counted } from '../format/words';
import { type Claim, type Earlier, Ticket, ticketFolder } from './tickets';

/** What there is to share. */
export interface Shared {
  readonly bytes: number;
  readonly threads: number;
}

/** The rest is for the system, and for programs that take no ticket. */
const SHARE = 0.9;
const PAUSE_MS = 250;

const thisMachine = (): Shared => ({ bytes: SHARE * totalmem(), threads: availableParallelism() });

/** How a job waits for its turn. */
export interface Waiting {
  readonly signal?: AbortSignal;
  /** Called with the reason when the job begins to wait, and when the reason changes. */
  readonly onWait: (reason: string) => void;
}

/** Where the tickets are, and what there is: of this machine, unless a test says otherwise. */
export interface Place {
  readonly folder: string;
  readonly shared: Shared;
  readonly sharing: Sharing;
}

/**
 * Runs `body` when its turn comes. A waiting job lets a smaller one pass that fits beside what runs.
 * @throws CancelledError while it waits; UserError for a wrong COPPICE_JOBS; errors of the body
 */
export async function inTurn<T>(claim: Claim, waiting: Waiting, body: () => Promise<T>, place?: Place): Promise<T> {
  const { sharing = sharingOf(), shared = thisMachine(), folder } = place ?? {};
  if (sharing.way === 'off') return body();
  const ticket = await takeTicket(folder, claim);
  if (ticket === undefined) return body();
  try {
    await turnOf(ticket, claim, waiting, (earlier) => isFull(claim, earlier, shared, sharing));
    return await body();
  } finally {
    await ticket.end();
  }
}

/** Without a folder that can be written, jobs know nothing of each other. */
async function takeTicket(folder: string | undefined, claim: Claim): Promise<Ticket | undefined> {
  try {
    return await Ticket.take(folder ?? (await ticketFolder()), claim);
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

async function turnOf(
  ticket: Ticket,
  { bytes }: Claim,
  { signal, onWait }: Waiting,
  full: (earlier: readonly Earlier[]) => string | undefined,
): Promise<void> {
  let said: string | undefined;
  for (;;) {
    throwIfCancelled(signal);
    const earlier = await ticket.before();
    const reason = full(earlier);
    if (reason === undefined) {
      await ticket.begin();
      if (bytes > 0) leaveToOthers(sumOf(earlier, 'bytes'));
      return;
    }
    if (reason !== said) onWait((said = reason));
    await setTimeout(PAUSE_MS);
  }
}

const sumOf = (claims: readonly Claim[], of: 'bytes' | 'threads'): number =>
  claims.reduce((sum, claim) => sum + claim[of], 0);

/** Why a job must wait for earlier ones; undefined if it need not. One that is alone runs, whatever it takes. */
export function isFull(
  own: Claim,
  earlier: readonly Earlier[],
  shared: Shared,
  sharing: Exclude<Sharing, { way: 'off' }>,
): string | undefined {
  const { slots } = { slots: Infinity, ...sharing };
  const running: Claim[] = earlier.filter(({ runs }) => runs);
  const lacks = (claim: Claim): string | undefined => whatLacks(claim, running, { ...shared, slots });
  // Those before it that wait and have room by now are about to begin.
  for (const each of earlier) if (!each.runs && lacks(each) === undefined) running.push(each);
  return lacks(own);
}

/** What a job lacks beside those that run. */
function whatLacks(
  own: Claim,
  running: readonly Claim[],
  { bytes, threads, slots }: Shared & { readonly slots: number },
): string | undefined {
  if (running.length === 0) return undefined;
  const before = counted(running.length, 'job');
  if (running.length >= slots) return `${before} of this machine ${verb(running, 'run')}, and COPPICE_JOBS is ${slots}`;
  if (slots < Infinity) return undefined; // each has its share of the rest
  const taken = sumOf(running, 'bytes');
  if (own.bytes > 0 && taken + own.bytes > bytes) {
    return `${before} of this machine may take ${roughBytes(taken)} of memory, and this one ${roughBytes(own.bytes)} of ${roughBytes(bytes)}`;
  }
  const busy = sumOf(running, 'threads');
  if (own.threads > 0 && busy > 0 && busy + own.threads > threads) {
    return `${before} of this machine ${verb(running, 'have', 'has')} ${busy} of ${threads} threads, and this one takes ${own.threads}`;
  }
  return undefined;
}

const verb = (jobs: readonly Claim[], many: string, one = `${many}s`): string => (jobs.length === 1 ? one : many);
