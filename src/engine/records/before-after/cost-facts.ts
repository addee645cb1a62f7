/** Sizes and speeds as facts. */
import { formatBytes, formatCount } from '../../../format/numbers';
import { type Range, speedText } from '../../../format/speeds';
import type { CostDigest, RunDigest } from '../digest-types';
import { recordKind } from '../kinds';
import type { Fact, Measure } from './facts';
import { type ModelRef, refOf } from './models';
import { settingWords } from './setting-words';
import { completeModel, computed, demoModel, modelOf, precisionKey } from './run-models';

export function costFacts(run: RunDigest): Fact[] {
  const { started, settings } = run;
  return (run.cost ?? []).flatMap((cost) => {
    const { speed, parameters, bytes, prefillTokensPerSecond, decodeTokensPerSecond, peakRssBytes } = cost;
    const model = measuredModel(run, cost);
    if (!model) return [];
    const precision = cost.precision ?? run.precision;
    const shape = settings.filter(([name]) => /^(promptTokens|newTokens|maxNewTokens|repeats)$/.test(name));
    const where = shape.map(([name, value]) => settingWords(name, value)).join(', ');
    // In turns, models of one run are comparable; alone, those of the same settings.
    const condition =
      speed === 'alone'
        ? `alone ${where} ${run.device ?? ''}${precisionKey(precision)}`
        : `${speed ?? 'size'} ${started}`;
    const ways = { turns: 'in turns', alone: 'measured separately', writing: 'while writing a text' };
    const spread = cost.decodeRange || cost.prefillRange ? 'median (least–most)' : '';
    const speedOf = [ways[speed ?? 'alone'], where, spread, computed({ ...run, precision })].filter(Boolean).join('; ');
    const fact = (measure: Measure, value: number | null, text: (value: number) => string, size: boolean): Fact[] =>
      value === null
        ? []
        : [
            {
              model,
              measure,
              value,
              text: text(value),
              condition: size ? 'size' : condition,
              of: size ? 'the files' : speedOf,
              started,
              ...(size && { aside: true as const }),
            },
          ];
    const rate = (measure: Measure, value: number | null, range: Range | undefined): Fact[] =>
      fact(measure, value, (median) => speedText({ value: median, range }), false).map((each) => ({ ...each, range }));
    return [
      ...fact('parameters', parameters, formatCount, true),
      ...fact('bytes', bytes, formatBytes, true),
      ...rate('prefill', prefillTokensPerSecond, cost.prefillRange),
      ...rate('decode', decodeTokensPerSecond, cost.decodeRange),
      ...fact('memory', peakRssBytes, formatBytes, false),
    ];
  });
}

/** Undefined for a label that does not tell the model. */
function measuredModel(run: RunDigest, { of, label }: CostDigest): ModelRef | undefined {
  const { kind, model } = run;
  if (of) return completeModel(of);
  if (kind === 'demo') return demoModel(run, label);
  const { names, labels } = recordKind(kind);
  if (names) return refOf(label === model.name ? { ...model, removed: [] } : { name: label, removed: [] });
  return labels ? undefined : modelOf(run);
}
