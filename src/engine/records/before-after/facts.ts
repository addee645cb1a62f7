/**
 * What runs have measured of models, as single facts: the number, and under which conditions. Only facts of one condition
 * (the same rows, the same items, the same run in turns) stand beside each other.
 */
import { formatCount, formatPercent, shortNumber } from '../../../format/numbers';
import type { Range } from '../../../format/speeds';
import { type JsonNumber, numeric } from '../../../format/json';
import type { QualityDigest, RunDigest } from '../digest-types';
import { readKey } from '../rows-key';
import { costFacts } from './cost-facts';
import { gridFacts } from './grid-facts';
import { type ModelRef, refOf } from './models';
import { computed, demoModel, modelOf, precisionKey } from './run-models';
import { taskFacts } from './task-facts';
import { vocabularyFacts } from './vocabulary-facts';

/** In the order of the page. Tasks, probes and batches have measures of their own: "task piqa", "probe copy", "throughput 8". */
export type Measure =
  | 'ppl'
  | 'bits'
  | 'kl'
  | 'top1'
  | 'repetition'
  | 'accuracy'
  | `task ${string}`
  | `probe ${string}`
  | 'vocabulary'
  | 'parameters'
  | 'bytes'
  | 'shipped'
  | 'prefill'
  | 'decode'
  | `throughput ${number}`
  | 'memory';

export interface Fact {
  readonly model: ModelRef;
  readonly measure: Measure;
  readonly value: number;
  /** The value in words. */
  readonly text: string;
  /** Least and largest of a speed's repeats; undefined if it was measured once. */
  readonly range?: Range;
  /** Half of the 95 % interval of the paired difference to the first model of the run. */
  readonly paired?: { readonly difference: number; readonly interval: number | null; readonly to: ModelRef };
  /** Of a probe: the model is no better than one that guesses, so that no other one can lose anything of it. */
  readonly unable?: true;
  /** Of bits per byte: tokens of the model's vocabulary. */
  readonly vocabulary?: number;
  readonly condition: string;
  /** The same for readers: text, items, precision, device. */
  readonly of: string;
  readonly started: string;
  /** It tells of a model that other facts show to be of interest, as the points of a curve do. */
  readonly aside?: true;
}

export function factsOf(run: RunDigest): Fact[] {
  return [
    ...(run.quality ?? []).flatMap((quality) => qualityFacts(run, quality)),
    ...wholeFacts(run),
    ...taskFacts(run),
    ...costFacts(run),
    ...gridFacts(run),
    ...vocabularyFacts(run),
  ];
}

function qualityFacts(run: RunDigest, quality: QualityDigest): Fact[] {
  const { label, text = '', tokens, rowsKey, ppl, kl, top1, repetition, unprunedRepetition, against } = quality;
  const { bitsPerByte, vocabulary } = quality;
  const model = run.kind === 'demo' ? demoModel(run, label) : modelOf(run);
  const common = {
    model,
    condition: `rows ${rowsKey ?? text}${precisionKey(run.precision)}`,
    of: [`${text}${tokens === undefined ? '' : ` (${formatCount(tokens)} tokens)`}`, computed(run)].join('; '),
    started: run.started,
  };
  const fact = (measure: Measure, value: JsonNumber | undefined, words: (value: JsonNumber) => string): Fact[] =>
    value === undefined ? [] : [{ ...common, measure, value: numeric(value), text: words(value) }];
  const unpruned = against && refOf({ name: against.model, identity: against.identity, removed: [] });
  return [
    ...fact('ppl', ppl, perplexity),
    ...fact('bits', bitsPerByte, bits).map((each) => ({
      ...each,
      ...(vocabulary !== undefined && { vocabulary }),
      condition: `rows ${rowsKey === undefined ? text : readKey(rowsKey, run)}${precisionKey(run.precision)}`,
      of: [text, computed(run)].join('; '),
    })),
    ...fact('kl', kl, (nats) => `${shortNumber(numeric(nats), 3)} nats`),
    ...fact('top1', top1, percent),
    ...fact('repetition', repetition, percent),
    ...(unpruned ? fact('repetition', unprunedRepetition, percent).map((each) => ({ ...each, model: unpruned })) : []),
  ];
}

/** Perplexities that scores and curves tell beside their own purpose. */
function wholeFacts(run: RunDigest): Fact[] {
  const { score, curve, model, started } = run;
  const common = { started, aside: true, measure: 'ppl' } as const;
  const told: Fact[] = [];
  if (score?.full !== undefined && score.rowsKey !== undefined) {
    const { full, rowsKey, text } = score;
    // Scores in two precisions have the whole model in float32.
    const exact = run.precision === 'mixed' ? { ...run, precision: 'float32' } : run;
    const words = { value: numeric(full), text: perplexity(full), of: `${text ?? ''}; ${computed(exact)}` };
    const condition = `rows ${rowsKey}${precisionKey(exact.precision)}`;
    told.push({ ...common, ...words, model: modelOf(run), condition });
  }
  if (curve?.rowsKey === undefined || run.removed.length > 0) return told;
  const points = curve.points.flatMap(({ ppl, removed, parameters }): Fact[] => {
    const words = { value: numeric(ppl), text: perplexity(ppl), of: `${curve.text}; ${computed(run)}` };
    const size = { value: parameters, text: formatCount(parameters), of: 'the files', condition: 'size' };
    const about = { ...common, model: refOf({ ...model, removed }) };
    return [
      { ...about, ...words, condition: `rows ${curve.rowsKey}${precisionKey(run.precision)}` },
      { ...about, ...size, measure: 'parameters' },
    ];
  });
  return [...told, ...points];
}

/** As the panel has it: "46.07". */
const perplexity = (value: JsonNumber): string => shortNumber(numeric(value));

const bits = (value: JsonNumber): string => shortNumber(numeric(value), 4);

const percent = (share: JsonNumber): string => formatPercent(numeric(share));
