/** The result of a run, in a few words. Pure but for the page's texts. */
import type { DraftDigest, PanelRun } from '../../../src/protocol/panel';
import { formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import { judgedSpeedup } from '../../../src/format/drafts';
import { numeric } from '../../../src/format/json';
import { stepsText, textsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { modelText, ORIGINAL } from '../state/model-labels';
import { runKind } from '../state/run-kinds';

export function resultOf({
  digest: { kind, score, curve, training, heal, tasks, quality, cost, grid, samples, vocabulary, draft },
}: PanelRun): string {
  if (score?.set) return t('without {0}', score.set.blocks.join(', '));
  if (score) {
    const order = [...score.blocks].sort((a, b) => numeric(a.score) - numeric(b.score)).slice(0, 4);
    return order.length > 0 ? t('least important: {0}', order.map(({ index }) => index).join(', ')) : '';
  }
  if (curve) return curve.points.length > 1 ? t('0 to {0} removed', curve.points.at(-1)!.count) : '';
  if (training) {
    const last = training.steps.at(-1);
    return last ? t('{0}, loss {1}', stepsText(last.step), shortNumber(numeric(last.loss))) : '';
  }
  if (heal) {
    const { before, rounded, after } = heal.heldOut ?? heal.fit ?? {};
    const [from, to] = [before, rounded ?? after].map((numbers) => shortNumber(numeric(numbers?.ppl)));
    return t('without {0}, perplexity {1} → {2}', heal.removed.join(', '), from, to);
  }
  if (vocabulary) {
    const { kept, size } = vocabulary;
    return t('{0} of {1} tokens stay', formatCount(kept), formatCount(size));
  }
  if (draft) return draftResult(draft);
  if (tasks) {
    const averages = tasks.models.map(({ average }) => (average === null ? '–' : formatPercent(average)));
    return t('accuracy {0}', averages.join(' → '));
  }
  if (grid) {
    const { batches, newTokens, models } = grid;
    return t('{0} models, {1} texts of {2} tokens', models.length, batches.join(', '), newTokens.join(', '));
  }
  if (samples) return textsText(samples.texts.length);
  if (quality && quality.length > 0)
    return t('perplexity {0}', quality.map(({ ppl }) => shortNumber(numeric(ppl))).join(' → '));
  if (runKind(kind).times && cost) {
    // Next to other models, the checkpoint has its own name.
    const named = cost.map(({ label, of, decodeTokensPerSecond }) => {
      const name = label === ORIGINAL && of ? of.model : modelText(label);
      return t('{0}: {1} tokens/s', name, shortNumber(numeric(decodeTokensPerSecond)));
    });
    return named.join(', ');
  }
  const last = cost?.at(-1);
  return last?.parameters ? t('{0}: {1} parameters', modelText(last.label), formatCount(last.parameters)) : '';
}

function draftResult(draft: DraftDigest): string {
  const { verdict, chosen = '' } = draft;
  if (verdict === 'refused') return t('no draft pays');
  const speedup = judgedSpeedup(draft);
  return speedup === null ? chosen : t('{0}: {1} times as fast', chosen, shortNumber(speedup, 3));
}
