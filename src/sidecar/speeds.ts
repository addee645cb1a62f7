/**
 * The speeds of this machine in a process that computes nothing: the compute process measures them when they are first needed, and
 * learns from its jobs. Does not use VS Code.
 */
import { cacheFolder } from '../engine/files/cache';
import { MachineSpeeds } from '../estimates/machine';
import type { Rates } from '../estimates/first-guess';
import type { Compute } from '../protocol/jobs';
import type { SidecarClient } from './client';
import { Emitter } from './emitter';

/** What is asked for at first is drawn at first, with a guess. */
const AFTER_DRAWING_MS = 2000;

export class RemoteSpeeds extends MachineSpeeds {
  private readonly changed = new Emitter<void>();
  /** Other times are known. */
  readonly onChange = this.changed.on;
  /** The file has been read. */
  readonly ready: Promise<void>;
  private isAsked = false;

  /** @param where what computes; undefined where nothing may */
  constructor(
    private readonly client: Pick<SidecarClient, 'request' | 'onEnded'>,
    private readonly where: () => Compute | undefined,
    private readonly delayMs = AFTER_DRAWING_MS,
  ) {
    super(cacheFolder());
    this.ready = this.renew();
    client.onEnded(() => void this.renew());
  }

  override rates(provider?: string): Rates | undefined {
    const found = super.rates(provider);
    if (found === undefined && !this.isAsked && this.where() !== undefined) {
      this.isAsked = true;
      setTimeout(() => void this.measure(), this.delayMs).unref();
    }
    return found;
  }

  private async measure(): Promise<void> {
    await this.ready;
    const where = this.where();
    if (super.rates() !== undefined || where === undefined) return;
    const { device, threads } = where;
    // Without a compute process, guesses stay what they are.
    await this.client.request('machine/rates', { device, threads }).catch(() => undefined);
    await this.renew();
  }

  private async renew(): Promise<void> {
    await this.read();
    this.changed.fire();
  }
}
