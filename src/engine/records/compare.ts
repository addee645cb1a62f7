/** Compares two or more runs: inputs, settings, results, and their differences. */
import { precisionWords } from '../../format/arithmetic';
import { vocabulariesDiffer } from '../../format/vocabularies';
import { formatCount, formatPercent } from '../../format/numbers';
import { type JsonNumber, numeric } from '../../format/json';
import { formatLayerNumber, layerNumber } from '../checkpoint/layer-numbers';
import { draftFacts } from './draft-facts';
import { ranWords } from './ran';
import type {
  HealDigest,
  NarrowerDigest,
  QualityDigest,
  RunDigest,
  TrainingDigest,
  VocabularyDigest,
} from './digest-types';

export interface ComparisonRow {
  readonly group: 'inputs' | 'settings' | 'results';
  readonly name: string;
  /** One per run; empty if it has none. */
  readonly values: readonly string[];
  readonly differs: boolean;
}

export interface Comparison {
  /** One per run. */
  readonly titles: readonly string[];
  readonly rows: readonly ComparisonRow[];
  /** The precisions in words, one per run, if they differ: such numbers are not those of the same arithmetic. */
  readonly precisions?: readonly string[];
  /** The models that were measured have different vocabularies: bits per byte take the place of perplexities. */
  readonly otherVocabularies?: true;
}

export function compareRuns(runs: readonly RunDigest[]): Comparison {
  const computed = runs.filter(({ device }) => device !== null).map(({ precision }) => precisionWords(precision));
  const apart = vocabulariesDiffer(runs.flatMap(({ quality = [] }) => quality.map(({ vocabulary }) => vocabulary)));
  return {
    titles: runs.map(runTitle),
    ...(new Set(computed).size > 1 && { precisions: computed }),
    ...(apart && { otherVocabularies: true as const }),
    rows: [
      ...rowsOf('inputs', runs, inputsOf),
      ...rowsOf('settings', runs, settingsOf),
      ...rowsOf('results', runs, (run) => resultsOf(run, apart)),
    ],
  };
}

/** "score · ppl", "retrain · adapter": the run in a few words. */
export function runTitle({
  kind,
  score,
  curve,
  training,
  heal,
  narrower,
  samples,
  vocabulary,
  draft,
}: RunDigest): string {
  const what =
    score?.criterion ??
    curve?.criterion ??
    heal?.method ??
    narrower?.method ??
    training?.output ??
    vocabulary?.written ??
    draft?.written ??
    draft?.program ??
    samples?.prompts[0];
  return what === undefined || what === '' ? kind : `${kind} · ${what}`;
}

type Facts = readonly (readonly [name: string, value: string])[];

/** All names of all runs, in order of appearance. */
function rowsOf(
  group: ComparisonRow['group'],
  runs: readonly RunDigest[],
  of: (run: RunDigest) => Facts,
): ComparisonRow[] {
  const facts = runs.map((run) => gathered(of(run)));
  const names = new Set(facts.flatMap((map) => [...map.keys()]));
  return [...names].map((name) => {
    const values = facts.map((map) => map.get(name) ?? '');
    return { group, name, values, differs: new Set(values).size > 1 };
  });
}

/** By name. A run may have read several texts or models, and names all of them. */
function gathered(facts: Facts): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of facts) {
    const before = found.get(name);
    found.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return found;
}

function inputsOf({ inputs, device, precision, versions, removed, started }: RunDigest): Facts {
  return [
    ['started', started],
    ...inputs.map(
      ({ role, name, hash }) => [role, hash === undefined ? name : `${name} (${hash.slice(0, 8)})`] as const,
    ),
    ['removed', removed.join(', ') || 'nothing'],
    ['device', device ?? 'none'],
    ['precision', device === null ? 'none' : precisionWords(precision)],
    ['versions', versions],
  ];
}

/** Settings that repeat inputs are left out. */
const settingsOf = ({ settings }: RunDigest): Facts =>
  settings.filter(
    ([name]) => name !== 'removed' && name !== 'device' && name !== 'precision' && !name.endsWith('sha256'),
  );

/**
 * The main results of a run, in words.
 * @param apart it stands beside models with other vocabularies: evaluations tell bits per byte, and no perplexity of a token
 */
export function resultsOf(run: RunDigest, apart = false): Facts {
  const { score, curve, training, heal, narrower, quality, cost, samples, ran, vocabulary, draft } = run;
  const last = curve?.points.at(-1);
  const blocks = score && [...score.blocks].sort((a, b) => numeric(a.score) - numeric(b.score));
  const steps = training?.steps ?? [];
  const speed = steps.reduce((sum, step) => sum + step.tokensPerSecond, 0) / steps.length;
  const facts: [string, string | undefined][] = [
    ['perplexity of the original', score?.full === undefined ? undefined : shortNumber(score.full)],
    ['blocks in the order of removal', score?.removals?.join(', ')],
    ['blocks removed together', score?.set?.blocks.join(', ')],
    ['KL divergence without them', score?.set?.kl === undefined ? undefined : shortNumber(score.set.kl)],
    [
      'least important blocks',
      blocks
        ?.slice(0, 6)
        .map(({ index }) => index)
        .join(', '),
    ],
    ['most blocks removed', last && `${last.count}: perplexity ${shortNumber(last.ppl)}`],
    ['steps', training && String(steps.at(-1)?.step ?? 0)],
    ['first loss', steps[0] && shortNumber(steps[0].loss)],
    ['last loss', steps.length > 0 ? shortNumber(steps.at(-1)!.loss) : undefined],
    ['best held-out perplexity', best(training?.evaluations.map(({ ppl }) => ppl))],
    [
      'held-out perplexity of the original',
      training?.unpruned === undefined ? undefined : shortNumber(training.unpruned),
    ],
    ['training tokens per second', steps.length > 0 ? shortNumber(speed) : undefined],
    ...trainingFacts(training),
    ...healFacts(heal),
    ...narrowerFacts(narrower),
    ...vocabularyFacts(vocabulary),
    ...draftFacts(draft),
    ...(quality ?? []).flatMap((each) => qualityFacts(each, apart)),
    ...(cost ?? []).flatMap(
      ({ label, parameters, bytes, decodeTokensPerSecond: decode }): [string, string | undefined][] => [
        [`parameters of ${label}`, parameters === null ? undefined : formatCount(parameters)],
        [`bytes of ${label}`, bytes === null ? undefined : formatCount(bytes)],
        [`tokens per second of ${label}`, decode === null ? undefined : shortNumber(decode)],
      ],
    ),
    ...(samples?.columns ?? []).map((label, column): [string, string | undefined] => {
      const shares = samples!.texts
        .filter((each) => each.column === column)
        .flatMap(({ repetition }) => repetition ?? []);
      const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
      return [`repetition of ${label}`, shares.length === 0 ? undefined : `${(100 * mean).toFixed(0)} %`];
    }),
    ['ran in', ran && `${ran.file}: ${ranWords(ran.programs)}`],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
}

/** What stays, and what that costs on text that was not counted. */
function vocabularyFacts(found: VocabularyDigest | undefined): [string, string | undefined][] {
  if (!found) return [];
  const { kept, size, heldOut } = found;
  const { coverage, bits } = heldOut;
  return [
    ['tokens that stay', `${formatCount(kept)} of ${formatCount(size)}`],
    ['held-out tokens that stay', coverage === null || heldOut.pieces === 0 ? undefined : percent(coverage)],
    ['bits per byte of the held-out text', bits && `${shortNumber(bits.before)} → ${shortNumber(bits.after)}`],
  ];
}

/** Perplexity, and beside it what it hides. */
function qualityFacts(quality: QualityDigest, apart: boolean): [string, string | undefined][] {
  const { label, ppl, bitsPerByte, vocabulary, kl, top1, against, repetition } = quality;
  const to = against === undefined ? '' : ` to ${against.model}`;
  const bits = bitsPerByte === undefined ? undefined : shortNumber(bitsPerByte);
  const tokens = vocabulary === undefined ? undefined : formatCount(vocabulary);
  const own: [string, string | undefined][] = apart
    ? [
        [`bits per byte of ${label}`, bits],
        [`tokens of the vocabulary of ${label}`, tokens],
      ]
    : [[`perplexity of ${label}`, shortNumber(ppl)]];
  return [
    ...own,
    [`KL of ${label}${to}`, kl === undefined ? undefined : shortNumber(kl)],
    [`same next token of ${label}${to}`, top1 === undefined ? undefined : percent(top1)],
    [`repetition of ${label}`, repetition === undefined ? undefined : percent(repetition)],
  ];
}

const percent = (share: JsonNumber): string => formatPercent(numeric(share));

/** On tokens that were held out. */
function trainingFacts(training: TrainingDigest | undefined): [string, string | undefined][] {
  const { before, after } = training?.likeness ?? {};
  const fact = (name: string, value: JsonNumber | undefined, words: (value: JsonNumber) => string) =>
    [name, value === undefined ? undefined : words(value)] as [string, string | undefined];
  return [
    fact('KL before training', before?.kl, shortNumber),
    fact('KL after training', after?.kl, shortNumber),
    fact('same next token before training', before?.top1, percent),
    fact('same next token after training', after?.top1, percent),
  ];
}

/** On rows that were not fitted, if there are any. */
function healFacts(heal: HealDigest | undefined): [string, string][] {
  const stages = heal?.heldOut ?? heal?.fit;
  if (!stages) return [];
  const { before, after } = stages;
  const rows = heal?.heldOut ? 'on rows held out' : 'on the fitted rows';
  return [
    [`perplexity before healing, ${rows}`, shortNumber(before.ppl)],
    [`perplexity after healing, ${rows}`, shortNumber(after.ppl)],
    [`KL before healing, ${rows}`, shortNumber(before.kl)],
    [`KL after healing, ${rows}`, shortNumber(after.kl)],
    [`same next token before healing, ${rows}`, percent(before.top1)],
    [`same next token after healing, ${rows}`, percent(after.top1)],
  ];
}

function narrowerFacts(narrower: NarrowerDigest | undefined): [string, string][] {
  if (!narrower) return [];
  const { ratio, meanNll, ppl, layers } = narrower;
  const range = (counts: readonly number[]): string => formatLayerNumber(layerNumber(counts));
  return [
    ...(ratio === null ? [] : [['ratio', shortNumber(ratio)] as [string, string]]),
    ...(layers.length === 0
      ? []
      : ([
          ['groups of heads kept of each block', range(layers.map(({ groups }) => groups))],
          ['neurons kept of each block', range(layers.map(({ neurons }) => neurons))],
        ] as [string, string][])),
    ...(meanNll === undefined
      ? []
      : [['mean token loss on the calibration rows', shortNumber(meanNll)] as [string, string]]),
    ...(ppl === undefined ? [] : [['perplexity of the calibration rows', shortNumber(ppl)] as [string, string]]),
  ];
}

function best(values: readonly JsonNumber[] = []): string | undefined {
  return values.length === 0 ? undefined : shortNumber(Math.min(...values.map(numeric)));
}

/** With the significant digits; ∞ for infinite numbers. */
export function shortNumber(value: JsonNumber): string {
  const number = numeric(value);
  if (!Number.isFinite(number)) return number === Infinity ? '∞' : String(number);
  const size = Math.abs(number);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return number.toExponential(2);
  return String(Number(number.toPrecision(5)));
}
