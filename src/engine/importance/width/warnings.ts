/** What a method cannot do as it was asked, in sentences for the user. */
import type { Architecture } from '../../checkpoint/architecture';
import { plainShape } from '../../checkpoint/kinds/plain';
import { losesHeads, type UnitCounts } from '../../checkpoint/width';
import { formatCount, formatPercent } from '../../../format/numbers';
import { counted } from '../../../format/words';
import { option } from '../../option-token';
import type { Measured } from './measured';
import { leastRatio, losesGroups } from './size';

/** Widths that are no multiple of this number are slower on GPUs (Shortened LLaMA §4). */
const GPU_MULTIPLE = 8;
/** A size that is further away from what was asked than this share of it is worth a warning. */
const FAR = 0.01;

interface Made {
  readonly architecture: Architecture;
  readonly counts: readonly UnitCounts[];
  readonly multiple: number | undefined;
}

/** Warnings about what is kept. */
export function keptWarnings({ architecture, counts, multiple }: Made, measured: Measured): string[] {
  const layers = architecture.layers.map(plainShape);
  const cut = counts.filter(({ neurons }, i) => neurons < layers[i].ffn);
  const narrow = multiple === undefined ? 0 : layers.filter(({ ffn }) => ffn < multiple).length;
  const odd = cut.filter(({ neurons }) => neurons % GPU_MULTIPLE !== 0).length;
  return [
    ...headWarning(architecture, counts, measured),
    ...(narrow > 0
      ? [
          `${counted(narrow, 'block')} ${narrow === 1 ? 'has' : 'have'} fewer than ${multiple} neurons, so no multiple is kept there`,
        ]
      : []),
    ...(odd > 0 && multiple === undefined
      ? [
          `the FFN width of ${counted(odd, 'block')} is no multiple of ${GPU_MULTIPLE}, which is slower on many GPUs and cannot be quantized everywhere; ${option('multiple', 32)} avoids it`,
        ]
      : []),
  ];
}

function headWarning(architecture: Architecture, counts: readonly UnitCounts[], measured: Measured): string[] {
  if (losesGroups(architecture, counts)) return [];
  if (!architecture.layers.map(plainShape).some(losesHeads)) {
    return [
      'no attention head is removed: this family normalizes the queries of all heads at once, and the keys, so the other heads would change',
    ];
  }
  const most = Math.max(...architecture.layers.map(plainShape).map(({ kvHeads }) => kvHeads));
  const from = leastRatio((ratio) => losesGroups(architecture, measured.counts(ratio)));
  const why = `there ${most === 1 ? 'is' : 'are'} only ${counted(most, 'group')} of heads in a block, because query heads share ${counted(most, 'key-value head')}`;
  if (from === undefined) return [`no attention head is removed at any ratio: ${why}`];
  return [`no attention head is removed: ${why}; the first ones go from a ratio of ${from} on`];
}

/** Warns when the nearest size is not near. */
export function sizeWarnings(wanted: number, found: number): string[] {
  const away = Math.abs(found - wanted) / wanted;
  if (away <= FAR) return [];
  return [
    `the nearest size is ${formatCount(found)} parameters, ${formatPercent(away)} from the ${formatCount(wanted)} that were asked for: units are removed from many blocks at once`,
  ];
}
