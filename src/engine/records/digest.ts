/**
 * Converts a run's record to its display data. Supports every kind of run. An unknown kind gives only inputs, settings
 * and device.
 */
import { upperMedian } from '../median';
import { basename } from 'node:path';
import { shareWords, withShare } from '../../format/text-share';
import { isObject, type JsonObject } from '../../format/json';
import type {
  ComparedDigest,
  CostDigest,
  CurveDigest,
  QualityDigest,
  RetrainedDigest,
  RunDigest,
  TrainingDigest,
} from './digest-types';
import { gridOf } from './digest-grid';
import { scoreOf } from './digest-score';
import { healOf } from './digest-heal';
import { iterativeOf } from './digest-iterate';
import { tasksOf } from './digest-tasks';
import { askedOf, generatedOf, samplesOf } from './digest-samples';
import { narrowerOf } from './digest-width';
import { versusOf } from './digest-versus';
import { entries, finite, jsonNumber, objects, text, texts } from './fields';
import { ranOf } from './ran';
import { onTop, type OnTop, readOnTop } from '../../format/on-top';
import type { RunInput, RunRecord } from './record';
import { curveKey, evaluationKey } from './rows-key';

export function digestRecord(record: RunRecord): RunDigest {
  const { kind, started, finished, results, settings, versions } = record;
  const model = record.inputs.find(({ role }) => role === 'model');
  const name = model?.name ?? '';
  const device = isObject(record.device) ? text(record.device.provider) : undefined;
  return {
    kind,
    started,
    finished,
    model: { name, ...(model?.identity !== undefined && { identity: model.identity }) },
    removed: entries(settings.removed ?? results.removed),
    ...inputsOnTop(record.inputs),
    device: device ?? null,
    precision: record.precision ?? (device === undefined ? null : 'float32'),
    inputs: record.inputs.map(({ role, name, identity, sha256, share }) => {
      return { role, name, hash: identity ?? sha256, ...withShare(share) };
    }),
    settings: flat(settings),
    versions: [`Coppice ${versions.coppice}`, versions.onnxruntime ? `onnxruntime ${versions.onnxruntime}` : '']
      .filter(Boolean)
      .join(', '),
    ...partsOf(record, name),
  };
}

type Parts = Pick<
  RunDigest,
  | 'score'
  | 'curve'
  | 'training'
  | 'heal'
  | 'quality'
  | 'retrained'
  | 'cost'
  | 'grid'
  | 'samples'
  | 'tasks'
  | 'iterative'
  | 'narrower'
  | 'versus'
  | 'ran'
  | 'exported'
>;

function partsOf({ kind, results, settings, inputs }: RunRecord, model: string): Parts {
  const prompts = texts(settings.prompts);
  const read = inputs.find(({ role }) => role === 'text' || role === 'calibration');
  const evaluated = read && `${read.name}${shareWords(read.share)}`;
  switch (kind) {
    case 'score':
      return { score: scoreOf(results) };
    case 'curve':
      return { curve: curveOf(results, settings, inputs) };
    case 'retrain':
      return { training: trainingOf(results) };
    case 'eval':
      return evaluationOf(results, model, inputs, evaluated, evaluationKey(results, settings, inputs));
    case 'bench':
    case 'speeds': // of several models; records of 'bench' could be too
      return {
        cost: Array.isArray(results.models)
          ? turnsOf(results)
          : [{ ...costOf(results, model), ...rangesOf(results), speed: 'alone' }],
      };
    case 'grid':
      return { grid: gridOf(results), cost: objects(results.models).map((each) => sizeOf(each)) };
    case 'samples':
      return { samples: { ...samplesOf(results, prompts), ...askedOf(settings) }, cost: speedsOf(results) };
    case 'generate':
      return { samples: { ...generatedOf(results, model, prompts, settings), ...askedOf(settings) } };
    case 'tasks':
      return { tasks: tasksOf(results, settings, inputs) };
    case 'heal': {
      const heal = healOf(results);
      const written = finite(results.parametersAfter) !== null;
      return { ...(heal && { heal }), ...(written && { cost: writtenOf(results, model, 'healed') }) };
    }
    case 'prune': {
      const heal = healOf(results.healing);
      const iterative = iterativeOf(results.iterative, settings.criterion);
      return { ...(heal && { heal }), ...(iterative && { iterative }), cost: writtenOf(results, model, 'pruned') };
    }
    case 'iterate': {
      const iterative = iterativeOf(results);
      return { ...(iterative && { iterative }), cost: writtenOf(results, model, 'pruned') };
    }
    case 'width': {
      const narrower = narrowerOf(results);
      return { ...(narrower && { narrower }), cost: writtenOf(results, model, 'narrower') };
    }
    case 'versus': {
      const versus = versusOf(results);
      return versus ? { versus } : {};
    }
    case 'merge':
      return { cost: writtenOf(results, model, 'merged') };
    case 'export': {
      const out = text(results.out);
      return { ...exportedOf(results, model), ...(out !== undefined && { exported: basename(out) }) };
    }
    case 'verify': {
      const ran = ranOf(results);
      return ran ? { ran } : {};
    }
    case 'demo':
      return demoOf(results, model, inputs);
    default:
      return {};
  }
}

function curveOf(results: JsonObject, settings: JsonObject, inputs: readonly RunInput[]): CurveDigest {
  const points = objects(results.points).flatMap(({ count, removed, ppl, parameters, ...more }) => {
    const [n, value, left] = [finite(count), jsonNumber(ppl), finite(parameters)];
    if (n === null || value === undefined || left === null) return [];
    const blocks = entries(removed).filter((block): block is number => typeof block === 'number');
    const [kl, accuracy] = [jsonNumber(more.kl), jsonNumber(more.accuracy)];
    const measured = { ...(kl !== undefined && { kl }), ...(accuracy !== undefined && { accuracy }) };
    return [{ count: n, removed: blocks, ppl: value, parameters: left, ...measured }];
  });
  const measured = isObject(results.text) ? results.text : {};
  const name = text(measured.name);
  const share = inputs.find(({ sha256 }) => sha256 !== undefined && sha256 === measured.sha256)?.share;
  const read = finite(results.parametersRead);
  return {
    criterion: text(results.criterion) ?? '',
    text: name === undefined ? '' : `${name}${shareWords(share)}`,
    points,
    ...keyed(curveKey(results, settings, inputs)),
    ...(read !== null && { parametersRead: read }),
  };
}

/** Undefined if unknown. */
const keyed = (rowsKey: string | undefined): { rowsKey?: string } => (rowsKey === undefined ? {} : { rowsKey });

function trainingOf(results: JsonObject): TrainingDigest {
  const steps = objects(results.trace).flatMap(({ step, loss, lr, tokensPerSecond }) => {
    const [at, value] = [finite(step), jsonNumber(loss)];
    if (at === null || value === undefined) return [];
    const [learningRate, speed] = [finite(lr) ?? 0, finite(tokensPerSecond) ?? 0];
    return [{ step: at, loss: value, learningRate, tokensPerSecond: speed }];
  });
  const evaluations = objects(results.evaluations).flatMap(({ step, ppl }) => {
    const [at, value] = [finite(step), jsonNumber(ppl)];
    return at === null || value === undefined ? [] : [{ step: at, ppl: value }];
  });
  const out = text(results.out);
  const { before, after } = isObject(results.likeness) ? results.likeness : {};
  const likeness = isObject(before) && isObject(after) && { before: comparedOf(before), after: comparedOf(after) };
  const output = out !== undefined && { output: basename(out) };
  const unpruned = isObject(results.unpruned) ? jsonNumber(results.unpruned.ppl) : undefined;
  return {
    ...output,
    steps,
    evaluations,
    ...(unpruned !== undefined && { unpruned }),
    ...(likeness && { likeness }),
  };
}

function qualityOf(results: JsonObject, label: string, name?: string, rowsKey?: string): QualityDigest[] {
  const ppl = jsonNumber(results.ppl);
  if (ppl === undefined) return [];
  const tokens = finite(results.tokens) ?? undefined;
  const compared = { ...comparedOf(results), ...repetitionOf(results.repetition) };
  return [{ label, ppl, tokens, ...compared, ...(name !== undefined && { text: name }), ...keyed(rowsKey) }];
}

function comparedOf({ kl: divergence, top1: agreement, against }: JsonObject): ComparedDigest {
  const [kl, top1] = [jsonNumber(divergence), jsonNumber(agreement)];
  if (kl === undefined || top1 === undefined) return {};
  const model = isObject(against) ? text(against.model) : undefined;
  const identity = isObject(against) ? text(against.identity) : undefined;
  return { kl, top1, ...(model !== undefined && { against: { model, ...(identity !== undefined && { identity }) } }) };
}

function repetitionOf(value: unknown): Pick<QualityDigest, 'repetition' | 'unprunedRepetition'> {
  const [mean, unpruned] = isObject(value) ? [jsonNumber(value.mean), jsonNumber(value.unpruned)] : [];
  return {
    ...(mean !== undefined && { repetition: mean }),
    ...(unpruned !== undefined && { unprunedRepetition: unpruned }),
  };
}

/** With an adapter it is also the perplexity after retraining, with healed weights that after healing. */
function evaluationOf(
  results: JsonObject,
  model: string,
  inputs: readonly RunInput[],
  text: string | undefined,
  rowsKey: string | undefined,
): Parts {
  const { adapter, patch, width } = inputsOnTop(inputs);
  const changed = adapter ?? patch ?? width;
  const quality = qualityOf(results, changed ?? model, text ?? '', rowsKey);
  // A curve counts removed blocks, so a narrower model has no place on it.
  if (changed === undefined || width !== undefined || quality.length === 0) return { quality };
  const retrained = retrainedOf(results, changed, quality[0]);
  return { quality, retrained: [adapter === undefined ? { ...retrained, healed: true } : retrained] };
}

/** The files on top of the checkpoint, by the roles of a run's inputs. */
function inputsOnTop(inputs: readonly RunInput[]): OnTop {
  const [width, patch, adapter] = ['width', 'patch', 'adapter'].map(
    (on) => inputs.find(({ role }) => role === on)?.name,
  );
  return onTop({ width, patch, adapter });
}

function retrainedOf(
  { removed }: JsonObject,
  label: string,
  { ppl, kl, top1, against, text = '', rowsKey }: QualityDigest,
): RetrainedDigest {
  const blocks = entries(removed).filter((block) => typeof block === 'number');
  const compared = kl === undefined ? {} : { kl, top1, ...(against && { against }) };
  return { label, removed: blocks, ppl, ...compared, text, ...keyed(rowsKey) };
}

function costOf(results: JsonObject, label: string): CostDigest {
  return {
    label,
    parameters: finite(results.parameters),
    bytes: finite(results.bytes),
    prefillTokensPerSecond: finite(results.prefillTokensPerSecond),
    decodeTokensPerSecond: finite(results.decodeTokensPerSecond ?? results.tokensPerSecond),
    peakRssBytes: finite(results.peakRssBytes),
  };
}

/** Only the size: a grid has other speeds than those of one text. */
const sizeOf = (each: JsonObject): CostDigest => ({
  ...costOf({ parameters: each.parameters, bytes: each.bytes }, text(each.label) ?? ''),
  ...columnOf(each),
});

/** Sizes before and after a checkpoint was written. */
function writtenOf(results: JsonObject, model: string, what: string): CostDigest[] {
  const out = text(results.out);
  const { parametersBefore, parametersAfter, bytesBefore, bytesAfter } = results;
  return [
    costOf({ parameters: parametersBefore, bytes: bytesBefore }, model),
    costOf({ parameters: parametersAfter, bytes: bytesAfter }, out === undefined ? `${model}, ${what}` : basename(out)),
  ];
}

/** Only the file's size: the model has its own. */
function exportedOf(results: JsonObject, model: string): Parts {
  const { out, parametersAfter, bytes } = results;
  const label = basename(text(out) ?? `${model}, exported`);
  const ran = ranOf(results);
  return { cost: [costOf({ parameters: parametersAfter, bytes }, label)], ...(ran && { ran }) };
}

/** Speeds of sample columns: the median over each column's texts, and the range if there are several. */
function speedsOf(results: JsonObject): CostDigest[] {
  return objects(results.columns).map((each, column): CostDigest => {
    const own = objects(results.samples).filter((sample) => sample.column === column);
    const all = (key: string): number[] => own.map((sample) => finite(sample[key])).filter((value) => value !== null);
    const [prefill, decode] = [all('prefillTokensPerSecond'), all('decodeTokensPerSecond')];
    const speeds = {
      prefillTokensPerSecond: upperMedian(prefill) ?? null,
      decodeTokensPerSecond: upperMedian(decode) ?? null,
    };
    const ends = (speed: number[]): number[] => (speed.length > 1 ? [Math.min(...speed), Math.max(...speed)] : []);
    const ranges = rangesOf({ prefillRange: ends(prefill), decodeRange: ends(decode) });
    return { ...costOf(speeds, text(each.label) ?? ''), ...ranges, speed: 'writing', ...columnOf(each) };
  });
}

/** Several models that were measured in turns. */
function turnsOf(results: JsonObject): CostDigest[] {
  return objects(results.models).map((each) => ({
    ...costOf(each, text(each.label) ?? ''),
    speed: 'turns' as const,
    ...columnOf(each),
    ...rangesOf(each),
  }));
}

/** The least and the largest of repeats, where the record has them. */
function rangesOf(results: JsonObject): Pick<CostDigest, 'prefillRange' | 'decodeRange'> {
  const [prefillRange, decodeRange] = [rangeOf(results.prefillRange), rangeOf(results.decodeRange)];
  return { ...(prefillRange && { prefillRange }), ...(decodeRange && { decodeRange }) };
}

function rangeOf(value: unknown): readonly [number, number] | undefined {
  const [low, high] = Array.isArray(value) ? value.map(finite) : [];
  return typeof low === 'number' && typeof high === 'number' ? [low, high] : undefined;
}

function columnOf(column: JsonObject): Pick<CostDigest, 'of' | 'precision'> {
  const [name, hash, own] = [text(column.model), text(column.identity), text(column.precision)];
  const precision = own !== undefined && { precision: own };
  if (name === undefined || hash === undefined) return { ...precision };
  return { of: { model: name, identity: hash, removed: entries(column.removed), ...readOnTop(column) }, ...precision };
}

/** Results of the demo by name, and what was done to the model of each. */
const DEMO_STAGES = [
  ['before', undefined],
  ['after', 'pruned'],
  ['healed', 'healed'],
  ['retrained', 'retrained'],
] as const;

/** The demo has several kinds of results. */
function demoOf(results: JsonObject, model: string, inputs: readonly RunInput[]): Parts {
  const text = inputs.find(({ role }) => role === 'text')?.name ?? '';
  const stages = DEMO_STAGES.flatMap(([name, stage]) => {
    const side = results[name];
    return isObject(side) ? [{ side, stage, label: stage === undefined ? model : `${model}, ${stage}` }] : [];
  });
  const sides = stages.map(({ side }) => side);
  const labels = stages.map(({ label }) => label);
  const written = sides.flatMap(({ continuations }, column) =>
    objects(continuations).map((each, prompt) => ({ ...each, prompt, column })),
  );
  written.sort((a, b) => a.prompt - b.prompt); // models to compare are side by side
  const quality = sides.flatMap((side, i) => qualityOf(side, labels[i], text, evaluationKey(side, side, inputs)));
  const improved = stages.flatMap(({ stage, label }): RetrainedDigest[] => {
    const measured = quality.find((each) => each.label === label);
    if (measured === undefined || (stage !== 'healed' && stage !== 'retrained')) return [];
    const point = retrainedOf(results, stage, measured);
    return [stage === 'healed' ? { ...point, healed: true } : point];
  });
  return {
    quality,
    ...(improved.length > 0 && { retrained: improved }),
    cost: sides.map((side, i) => ({ ...costOf(side, labels[i]), speed: 'writing' as const })),
    samples: samplesOf({ columns: labels.map((label) => ({ label })), samples: written }, texts(results.prompts)),
  };
}

/** Today's names of settings that earlier versions recorded under others, so that runs of both can be compared. */
const EARLIER_NAMES: ReadonlyMap<string, string> = new Map([['plus', 'keepEnds']]);

/** Settings as names and words. Prompts and block lists stay lists; null is left out. */
function flat(settings: JsonObject, prefix = ''): (readonly [string, string])[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const name = `${prefix}${EARLIER_NAMES.get(key) ?? key}`;
    if (value === null || value === undefined || key === 'columns') return [];
    if (isObject(value)) return flat(value, `${name}.`);
    if (Array.isArray(value)) return [[name, value.map((each) => words(each)).join(', ') || 'none'] as const];
    return [[name, words(value)] as const];
  });
}

function words(value: unknown): string {
  if (typeof value === 'string') return /^[\da-f]{64}$/.test(value) ? value.slice(0, 12) : value;
  if (!isObject(value)) return JSON.stringify(value);
  return Object.values(value)
    .map((each) => words(each))
    .join(' '); // a file with its hash
}
