/** Perplexities for display: of evaluations, curves and trainings. */
import { basename } from 'node:path';
import type {
  ComparedDigest,
  CurveDigest,
  QualityDigest,
  RetrainedDigest,
  TrainingDigest,
} from '../../engine/records/digest-types';
import type { RunInput } from '../../engine/records/record';
import { curveKey } from '../../engine/records/rows-key';
import { defined } from '../../format/defined';
import type { JsonObject } from '../../format/json';
import { shareWords } from '../../format/text-share';
import { type Read, readResult } from '../read-result';
import type { EvaluateResult } from '../results/eval';

export function curveOf(results: JsonObject, settings: JsonObject, inputs: readonly RunInput[]): CurveDigest {
  const { criterion = '', points = [], text: measured = {}, parametersRead } = readResult('curve', results);
  const share = inputs.find(({ sha256 }) => sha256 !== undefined && sha256 === measured.sha256)?.share;
  return defined({
    criterion,
    text: measured.name === undefined ? '' : `${measured.name}${shareWords(share)}`,
    points: points.flatMap(({ count, removed = [], ppl, parameters, kl, accuracy }) => {
      if (count === undefined || ppl === undefined || parameters === undefined) return [];
      return [defined({ count, removed, ppl, parameters, kl, accuracy })];
    }),
    rowsKey: curveKey(results, settings, inputs),
    parametersRead,
  });
}

export function trainingOf(results: JsonObject): TrainingDigest {
  const { out, trace = [], evaluations = [], likeness, unpruned } = readResult('retrain', results);
  const { before, after } = likeness ?? {};
  return defined({
    output: out === undefined ? undefined : basename(out),
    steps: trace.flatMap(({ step, loss, lr: learningRate = 0, tokensPerSecond = 0 }) =>
      step === undefined || loss === undefined ? [] : [{ step, loss, learningRate, tokensPerSecond }],
    ),
    evaluations: evaluations.flatMap(({ step, ppl }) =>
      step === undefined || ppl === undefined ? [] : [{ step, ppl }],
    ),
    unpruned: unpruned?.ppl,
    likeness: before && after && { before: comparedOf(before), after: comparedOf(after) },
  });
}

export function qualityOf(
  results: Read<EvaluateResult>,
  label: string,
  text?: string,
  rowsKey?: string,
): QualityDigest[] {
  const { ppl, bitsPerByte, vocabulary, tokens, repetition } = results;
  if (ppl === undefined) return [];
  const repeated = { repetition: repetition?.mean ?? undefined, unprunedRepetition: repetition?.unpruned ?? undefined };
  const apart = { bitsPerByte, vocabulary };
  return [{ label, ppl, tokens, ...defined({ ...apart, ...comparedOf(results), ...repeated, text, rowsKey }) }];
}

function comparedOf({ kl, top1, against }: Pick<Read<EvaluateResult>, 'kl' | 'top1' | 'against'>): ComparedDigest {
  if (kl === undefined || top1 === undefined) return {};
  const { model, identity } = against ?? {};
  return defined({ kl, top1, against: model === undefined ? undefined : defined({ model, identity }) });
}

/** The same as a point of a model that was trained or healed. */
export function retrainedOf(
  removed: readonly (number | string)[] = [],
  label: string,
  { ppl, kl, top1, against, text = '', rowsKey }: QualityDigest,
): RetrainedDigest {
  const blocks = removed.filter((block) => typeof block === 'number');
  return defined({ label, removed: blocks, ppl, kl, top1, against, text, rowsKey });
}
