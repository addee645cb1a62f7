/** The computation of each kind of feed-forward. */
import type { FeedForward } from '../../checkpoint/kinds';
import type { Compute } from '../parts';
import { dense } from './dense';
import { experts } from './experts';

const FEED_FORWARDS: { readonly [K in FeedForward['kind']]: Compute<Extract<FeedForward, { kind: K }>> } = {
  dense,
  experts,
};

export const feedForward: Compute<FeedForward> = (g, x, shape, parts) =>
  (FEED_FORWARDS[shape.kind] as Compute<FeedForward>)(g, x, shape, parts);
