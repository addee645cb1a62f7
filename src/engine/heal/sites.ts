/**
 * Where a view is corrected. The residual stream passes 2 L modules: attention and FFN of each block. After a kept
 * module, the healed stream should equal the dense stream at the input of the next kept module.
 */
import { type Architecture, lastLinears } from '../checkpoint/architecture';
import { type WeightKey, weightOf } from '../checkpoint/weight-key';
import { removedJson, removedParts, type Step, type View } from '../model/view';

/** A kept module, whose last Linears can be corrected: o_proj, or what stands in its place in another mixer, or down_proj. */
export interface Site {
  /** 2 · block, + 1 for the FFN. */
  readonly module: number;
  readonly block: number;
  readonly tensor: 'o_proj' | 'down_proj';
  /** The next kept module, or 2 L after the last one: the dense stream at its input is the target. */
  readonly next: number;
  /** Whether something is left out before it. */
  readonly cut: boolean;
  /** What that is: blocks by number, modules by name. */
  readonly removed: readonly (number | string)[];
}

/**
 * The kept modules from the last one before the first cut on. If nothing is left out, there are none, or all modules of
 * a model that differs from the whole one in another way.
 * @param differs whether the weights differ from those of the whole model
 */
export function sitesOf(view: View, differs = false): Site[] {
  const kept = view.attention.flatMap((attention, block) => [attention, view.ffn[block]]);
  const first = kept.indexOf(false);
  if (first < 0 && !differs) return [];
  const start = first < 0 ? 0 : Math.max(0, kept.lastIndexOf(true, first));
  const modules = kept.flatMap((isKept, module) => (isKept && module >= start ? [module] : []));
  return modules.map((module, i) => {
    const next = modules[i + 1] ?? kept.length;
    const cut = next !== module + 1;
    const tensor = module % 2 === 0 ? 'o_proj' : 'down_proj';
    return { module, block: module >> 1, tensor, next, cut, removed: cut ? modulesOf(module + 1, next) : [] };
  });
}

/** The modules `from` … `to` − 1 as parts: blocks by number, single modules by name. */
function modulesOf(from: number, to: number): (number | string)[] {
  const blocks = Math.ceil(to / 2);
  const outside = (part: 0 | 1): boolean[] =>
    Array.from({ length: blocks }, (_, block) => 2 * block + part < from || 2 * block + part >= to);
  return removedJson(removedParts({ attention: outside(0), ffn: outside(1) }));
}

/** The site's module alone. */
export const stepOf = ({ block, tensor }: Site): Step => ({
  block,
  attention: tensor === 'o_proj',
  ffn: tensor === 'down_proj',
});

/** The modules `from` … `to` − 1 of the stream, both modules of a block in one step. */
export function stepsBetween(from: number, to: number): Step[] {
  const steps: Step[] = [];
  for (let module = from; module < to;) {
    const whole = module % 2 === 0 && module + 1 < to;
    steps.push({ block: module >> 1, attention: module % 2 === 0, ffn: module % 2 === 1 || whole });
    module += whole ? 2 : 1;
  }
  return steps;
}

/** The weights that a healing may change: the Linears of all sites, their biases, and the norms behind them. */
export function correctedKeys(architecture: Architecture, view: View, differs = false): WeightKey[] {
  return sitesOf(view, differs).flatMap(({ block, tensor }) => {
    const linears = lastLinears(architecture, block, tensor === 'o_proj' ? 'mixer' : 'ffn');
    const keys: WeightKey[] = [
      ...linears.map(({ name }) => ({ layer: block, name })),
      ...linears.map(({ name }) => ({ layer: block, name: `${name}Bias` as const })),
      { layer: block, name: tensor === 'o_proj' ? 'attentionOutNorm' : 'ffnOutNorm' },
    ];
    return keys.filter((key) => weightOf(architecture, key) !== undefined);
  });
}
