/**
 * Converts a run's record to its display data. Supports every kind of run. An unknown kind gives only inputs, settings
 * and device.
 */
import { basename } from 'node:path';
import type { RetrainedDigest, RunDigest } from '../../engine/records/digest-types';
import { entries, finite, objects, text, texts } from '../../engine/records/fields';
import { ranOf } from '../../engine/records/ran';
import type { RunInput, RunRecord } from '../../engine/records/record';
import { evaluationKey } from '../../engine/records/rows-key';
import { defined } from '../../format/defined';
import { isObject, type JsonObject } from '../../format/json';
import { onTop, type OnTop } from '../../format/on-top';
import { shareWords, withShare } from '../../format/text-share';
import { readResult } from '../read-result';
import { benchOf, costOf, exportedOf, sizesOf, speedsOf, writtenOf } from './cost';
import { draftOf } from './draft';
import { expertsOf, expertSizes } from './experts';
import { frontierOf } from './frontier';
import { gridOf } from './grid';
import { healOf } from './heal';
import { iterativeOf } from './iterate';
import { curveOf, qualityOf, retrainedOf, trainingOf } from './measured';
import { askedOf, generatedOf, samplesOf } from './samples';
import { scoreOf } from './score';
import { tasksOf } from './tasks';
import { versusOf } from './versus';
import { trimmedSizes, vocabularyOf } from './vocabulary';
import { narrowerOf } from './width';

export function digestRecord(record: RunRecord): RunDigest {
  const { kind, started, finished, results, settings, versions } = record;
  const model = record.inputs.find(({ role }) => role === 'model');
  const name = model?.name ?? '';
  const device = isObject(record.device) ? text(record.device.provider) : undefined;
  return {
    kind,
    started,
    finished,
    model: defined({ name, identity: model?.identity }),
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
    ...defined(partsOf(record, name)),
  };
}

/** What is shown of a result, by kind; undefined is what it lacks. */
function partsOf({ kind, results, settings, inputs }: RunRecord, model: string): Partial<RunDigest> {
  const prompts = texts(settings.prompts);
  switch (kind) {
    case 'score':
      return { score: scoreOf(results) };
    case 'curve':
      return { curve: curveOf(results, settings, inputs) };
    case 'retrain':
      return { training: trainingOf(results) };
    case 'eval':
      return evaluationOf(results, settings, inputs, model);
    case 'bench':
    case 'speeds': // of several models; records of 'bench' could be too
      return { cost: benchOf(results, model) };
    case 'grid':
      return { grid: gridOf(results), cost: sizesOf(results) };
    case 'samples':
      return { samples: { ...samplesOf(results, prompts), ...askedOf(settings) }, cost: speedsOf(results) };
    case 'generate':
      return { samples: { ...generatedOf(results, model, prompts, settings), ...askedOf(settings) } };
    case 'tasks':
      return { tasks: tasksOf(results, settings, inputs) };
    case 'heal': {
      const written = finite(results.parametersAfter) !== null;
      return { heal: healOf(results), cost: written ? writtenOf(results, model, 'healed') : undefined };
    }
    case 'prune': {
      const iterative = iterativeOf(results.iterative, text(settings.criterion));
      return { heal: healOf(results.healing), iterative, cost: writtenOf(results, model, 'pruned') };
    }
    case 'iterate':
      return { iterative: iterativeOf(results), cost: writtenOf(results, model, 'pruned') };
    case 'width':
      return { narrower: narrowerOf(results), cost: writtenOf(results, model, 'narrower') };
    case 'versus':
      return { versus: versusOf(results) };
    case 'frontier':
      return { frontier: frontierOf(results) };
    case 'experts': {
      const experts = expertsOf(results);
      return { experts, cost: experts && expertSizes(experts, model) };
    }
    case 'vocabulary': {
      const vocabulary = vocabularyOf(results);
      return { vocabulary, cost: vocabulary && trimmedSizes(vocabulary, model) };
    }
    case 'draft':
      return { draft: draftOf(results) };
    case 'merge':
      return { cost: writtenOf(results, model, 'merged') };
    case 'export': {
      const out = text(results.out);
      const exported = out === undefined ? undefined : basename(out);
      return { cost: [exportedOf(results, model)], ran: ranOf(results), exported };
    }
    case 'verify':
      return { ran: ranOf(results) };
    case 'demo':
      return demoOf(results, model, inputs);
    default:
      return {};
  }
}

/** With an adapter it is also the perplexity after retraining, with healed weights that after healing. */
function evaluationOf(
  results: JsonObject,
  settings: JsonObject,
  inputs: readonly RunInput[],
  model: string,
): Partial<RunDigest> {
  const read = inputs.find(({ role }) => role === 'text' || role === 'calibration');
  const { adapter, patch, width } = inputsOnTop(inputs);
  const changed = adapter ?? patch ?? width;
  const found = readResult('eval', results);
  const measured = read ? `${read.name}${shareWords(read.share)}` : '';
  const quality = qualityOf(found, changed ?? model, measured, evaluationKey(results, settings, inputs));
  // A curve counts removed blocks, so a narrower model has no place on it.
  if (changed === undefined || width !== undefined || quality.length === 0) return { quality };
  const retrained = retrainedOf(found.removed, changed, quality[0]);
  return { quality, retrained: [adapter === undefined ? { ...retrained, healed: true } : retrained] };
}

/** The files on top of the checkpoint, by the roles of a run's inputs. */
function inputsOnTop(inputs: readonly RunInput[]): OnTop {
  const [width, patch, adapter] = ['width', 'patch', 'adapter'].map(
    (on) => inputs.find(({ role }) => role === on)?.name,
  );
  return onTop({ width, patch, adapter });
}

/** Results of the demo by name, and what was done to the model of each. */
const DEMO_STAGES = [
  ['before', undefined],
  ['after', 'pruned'],
  ['healed', 'healed'],
  ['retrained', 'retrained'],
] as const;

/** The demo has several kinds of results. */
function demoOf(results: JsonObject, model: string, inputs: readonly RunInput[]): Partial<RunDigest> {
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
  const quality = sides.flatMap((side, i) =>
    qualityOf(readResult('eval', side), labels[i], text, evaluationKey(side, side, inputs)),
  );
  const improved = stages.flatMap(({ stage, label }): RetrainedDigest[] => {
    const measured = quality.find((each) => each.label === label);
    if (measured === undefined || (stage !== 'healed' && stage !== 'retrained')) return [];
    const point = retrainedOf(entries(results.removed), stage, measured);
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
