/** Sessions over single steps that stay open from one pass over a model to the next. */
import type { Session } from '../onnx/session';

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
