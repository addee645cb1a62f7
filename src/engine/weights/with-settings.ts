/** The numbers of one model under the settings of another one that has the same matrices. */
import { createHash } from 'node:crypto';
import type { Architecture } from '../checkpoint/architecture';
import { Over } from './over';
import type { WeightSource } from './source';

export class WithSettings extends Over {
  /**
   * @param source the numbers; closing this source closes it
   * @param own the settings that compute with them
   */
  constructor(
    source: WeightSource,
    private readonly own: Architecture,
  ) {
    super(source);
  }

  override get architecture(): Architecture {
    return this.own;
  }

  override get identity(): string {
    return createHash('sha256').update(`coppice in place 1\n${this.source.identity}`).digest('hex');
  }
}
