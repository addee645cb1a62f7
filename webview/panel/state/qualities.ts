/**
 * Perplexity of every model on the panel's text, and beside it what perplexity hides: how far the model is from the unpruned
 * one, and how much it repeats itself in greedy texts. Pure.
 */
import { isFloat32 } from '../../../src/format/arithmetic';
import { namesOnTop } from '../../../src/format/on-top';
import { type JsonNumber, numeric } from '../../../src/format/json';
import { evaluatedIn } from '../../../src/format/evaluated';
import type { ComparedDigest, PanelRun, PanelState, QualityDigest } from '../../../src/protocol/panel';
import { ORIGINAL, withoutLabel } from './model-labels';
import { namedIn } from './precisions';
import { onPanelRows, rowsOf, rowsOfPanel } from './rows';

/** Label of a plan that removes nothing. */
export const NO_PLAN = '';

export interface Quality extends ComparedDigest {
  readonly label: string;
  readonly kind: 'original' | 'plan' | 'earlier' | 'made';
  /** NaN while it is not known, and of a model with another vocabulary. */
  readonly ppl: number;
  /** Bits for each byte of the text; undefined if no run measured them. */
  readonly bitsPerByte?: number;
  /** Tokens of the model's vocabulary, if it is not that of the panel's model. */
  readonly otherVocabulary?: number;
  /** Of a quick answer, which float32 replaces; undefined for float32. */
  readonly precision?: string;
  /** Mean share of repeated runs of four tokens; undefined if no run measured it. */
  readonly repetition?: number;
}

/**
 * One row for each model that was measured on the panel's rows: the checkpoint, the plan, others by their newest run.
 * @param state with the model's own runs only
 */
export function qualitiesOf(state: Pick<PanelState, 'model' | 'plan' | 'whatIf' | 'runs' | 'kin' | 'text'>): Quality[] {
  const { model, plan, runs, kin, text } = state;
  const whatIf = onPanelRows(state.whatIf, text);
  const planned = plan.removed.length > 0 ? withoutLabel(plan.removed) : undefined;
  const found = new Map<string, Quality>();
  const add = (
    label: string,
    kind: Quality['kind'],
    ppl: JsonNumber | null,
    more: Partial<QualityDigest> & Pick<Quality, 'otherVocabulary'> = {},
    precision?: string,
  ): void => {
    if (found.has(label)) return;
    const { bitsPerByte, otherVocabulary, kl, top1, against, repetition } = more;
    const repeated =
      repetition === undefined ? repetitionOf(label === model.name ? ORIGINAL : label, runs) : numeric(repetition);
    found.set(label, {
      label,
      kind,
      ppl: numeric(ppl),
      ...(bitsPerByte !== undefined && { bitsPerByte: numeric(bitsPerByte) }),
      ...(otherVocabulary !== undefined && { otherVocabulary }),
      ...(!isFloat32(precision) && { precision }),
      ...(kl !== undefined && { kl, top1, ...(against && { against }) }),
      ...(repeated !== undefined && { repetition: repeated }),
    });
  };
  const measured = runs.flatMap((run) => evaluated(run, model.name, rowsOfPanel(text)));
  const own = measured.find(({ label }) => label === model.name);
  add(model.name, 'original', own?.quality.ppl ?? whatIf.full, own?.quality);
  const isCurrent = whatIf.ppl !== null && whatIf.removed.join() === plan.removed.join();
  const { kl, top1 } = whatIf;
  const compared = { kl: kl ?? undefined, top1: top1 ?? undefined, against: { model: model.name } };
  const before = measured.find(({ label }) => label === planned)?.quality;
  // The plan always has a row: a click on a block must move nothing on the page.
  if (planned === undefined) add(NO_PLAN, 'plan', null);
  else if (isCurrent) add(planned, 'plan', whatIf.ppl, compared, whatIf.precision);
  else add(planned, 'plan', before?.ppl ?? null, before);
  for (const { label, quality, isPlan } of measured) {
    add(label, isPlan ? 'earlier' : 'made', quality.ppl, quality);
  }
  for (const { name, ppl, bitsPerByte, otherVocabulary, compared: near } of kin.children) {
    const isKnown = otherVocabulary === undefined ? ppl !== null : bitsPerByte !== undefined;
    if (isKnown) add(name, 'made', ppl, { ...near, bitsPerByte, otherVocabulary });
  }
  return [...found.values()];
}

interface Evaluated {
  readonly label: string;
  readonly quality: QualityDigest;
  /** Blocks of the checkpoint are left out, and nothing else is changed. */
  readonly isPlan: boolean;
}

/** What an evaluation measured on these rows. */
function evaluated({ digest }: PanelRun, model: string, rows: string | undefined): Evaluated[] {
  const { removed } = digest;
  const changed = namesOnTop(digest).at(-1);
  const blocks = removed.filter((block) => typeof block === 'number');
  const without = withoutLabel(blocks.length === removed.length ? blocks : removed.join(', '));
  const label = namedIn(changed ?? (removed.length > 0 ? without : model), digest.precision);
  return evaluatedIn(digest)
    .filter(({ rowsKey, text = '' }) => rowsOf({ rowsKey, text }) === rows)
    .map((quality) => ({ label, quality, isPlan: changed === undefined && removed.length > 0 }));
}

/** Of the newest run that lets this model write greedily in float32. */
function repetitionOf(label: string, runs: readonly PanelRun[]): number | undefined {
  for (const { digest } of runs) {
    const { samples, settings, cost } = digest;
    const column = samples?.columns.indexOf(label) ?? -1;
    const isGreedy = settings.some(([name, value]) => name === 'greedy' && value === 'true');
    if (column < 0 || !isGreedy || !isFloat32(cost?.[column]?.precision ?? digest.precision)) continue;
    const shares = samples!.texts
      .filter((each) => each.column === column)
      .flatMap(({ repetition }) => repetition ?? []);
    if (shares.length > 0) return shares.reduce((sum, share) => sum + share, 0) / shares.length;
  }
  return undefined;
}
