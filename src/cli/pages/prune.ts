/** What `coppice prune` prints. */
import { describeReduction } from '../../engine/checkpoint/reduction';
import { formatSeconds } from '../../format/durations';
import type { Page } from './page';

export const prunePage: Page<'prune'> = ({ mergekit, llamaCpp }, { shown }) => ({
  page: (result) => [
    ...describeReduction(result),
    `written     ${shown(result.out)} in ${formatSeconds(result.seconds)}`,
    ...[mergekit, llamaCpp].flatMap((file) => (file === undefined ? [] : [`recipe      ${shown(file)}`])),
  ],
});
