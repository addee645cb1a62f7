/** Sessions over single steps that stay open from one pass over a model to the next. */
import type { Architecture } from '../checkpoint/architecture';
import { parametersOf } from '../checkpoint/parameters';
import type { Session } from '../onnx/session';
import type { Precision } from '../precision';

/** Weights of open sessions are in memory twice, as read and as kernels want them; those of the head belong to two graphs. */
const COPIES = 3;

/** Bytes that sessions over all steps take at most while they are open. */
export const heldSessionBytes = (architecture: Architecture, precision: Precision): number =>
  COPIES * (precision === 'int8' ? 1 : Float32Array.BYTES_PER_ELEMENT) * parametersOf(architecture);

/** A session, and what its user does when it is through. */
export interface Lent {
  readonly session: Session;
  readonly close: () => Promise<void>;
}

export class HeldSessions {
  private readonly open = new Map<string, Session>();

  /** @param name of the graph: equal names have equal graphs over equal weights */
  async lend(name: string, openNew: () => Promise<Session>): Promise<Lent> {
    let session = this.open.get(name);
    if (!session) this.open.set(name, (session = await openNew()));
    return { session, close: () => Promise.resolve() };
  }

  async close(): Promise<void> {
    for (const session of this.open.values()) await session.close();
    this.open.clear();
  }
}
