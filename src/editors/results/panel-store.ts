/** The state of one panel and the numbered messages that tell the panel its changes. */
import type { HostMessage, PanelState } from '../../protocol/panel';

/** Messages without their number. */
type Unnumbered<M> = M extends unknown ? Omit<M, 'sequence'> : never;

export class PanelStore {
  private sequence = 0;
  private closed = false;

  constructor(
    private current: PanelState,
    private readonly send: (message: HostMessage) => void,
  ) {}

  get state(): PanelState {
    return this.current;
  }

  /** Sends the whole state: the panel was just opened, or missed a message. */
  sendAll(): void {
    if (this.closed) return;
    this.sequence = 0;
    this.send({ sequence: 0, type: 'init', state: this.current });
  }

  /** Sends parts of the state, whether or not they differ. */
  update(changes: Partial<PanelState>): void {
    this.post({ type: 'update', changes }, changes);
  }

  /**
   * Sends the parts that differ. Lists of runs are large and keep their object while they are the same: they are not
   * compared deeply.
   */
  updateWhatDiffers(changes: Partial<PanelState>): void {
    const different = Object.entries(changes).filter(([key, value]) => {
      const before = this.current[key as keyof PanelState];
      return value !== before && (key === 'runs' || JSON.stringify(value) !== JSON.stringify(before));
    });
    if (different.length > 0) this.update(Object.fromEntries(different));
  }

  /** Sends a message, and takes over what it changes. */
  post(message: Unnumbered<HostMessage>, changes: Partial<PanelState>): void {
    this.current = { ...this.current, ...changes };
    if (!this.closed) this.send({ sequence: ++this.sequence, ...message });
  }

  /** Sends nothing from now on: another session may serve the panel. */
  close(): void {
    this.closed = true;
  }
}
