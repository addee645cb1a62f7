/** The file in the user's cache folder where text that a model wrote is kept for every run that can use it. */
import { join } from 'node:path';
import type { BosChoice } from '../../../format/bos';
import { cacheFolder } from '../../files/cache';

/** What the text depends on. */
export interface OwnText {
  /** Of the checkpoint that wrote it. */
  readonly identity: string;
  /** Tokens of a row. */
  readonly length: number;
  readonly seed: number;
  readonly bos?: BosChoice;
}

export const ownTextFile = async ({ identity, length, seed, bos }: OwnText): Promise<string> =>
  join(await cacheFolder(), `self-${identity.slice(0, 24)}-${length}-${seed}${bos === 'none' ? '-none' : ''}.json`);
