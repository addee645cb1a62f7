/** What `coppice draft` prints. */
import { RUNTIME_FACTS } from '../../engine/draft/runtimes';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format/numbers';
import { formatCounted } from '../../format/words';
import type { DraftCandidate, DraftResult } from '../../jobs/results/draft';
import { facts, table } from '../terminal/text';
import type { Page } from './page';

export const draftPage: Page<'draft'> = (_, { shown }) => ({
  page: (result) => [
    ...facts([
      ['verdict', result.why],
      ['text', textWords(result)],
      ...(result.costs === null ? [] : [['costs', costWords(result.costs)] as const]),
      ...(result.out === null ? [] : [['written', shown(result.out)] as const]),
      ...(result.verified === null ? [] : [['run', verifiedWords(result.verified)] as const]),
      ['time', formatSeconds(result.seconds)],
    ]),
    ...candidateLines(result),
    ...lengthLines(result.candidates),
  ],
});

function textWords({ text, runtime, target }: DraftResult): string {
  const { prompts, heldOut, tokens, source, temperature } = text;
  const held = heldOut === 0 ? '' : `, ${heldOut} of them held out`;
  const drawn = temperature === 0 ? '' : `, at temperature ${formatNumber(temperature, 2)}`;
  return (
    `${formatCounted(tokens, 'token')} that the model writes for ${formatCounted(prompts, 'prompt')} of ${source}${held}${drawn}; ` +
    `for ${RUNTIME_FACTS[runtime.name].title}, the model in ${target.type === 'stored' ? 'its own type' : target.type}`
  );
}

function costWords({ rows, v, runs, measuredIn }: NonNullable<DraftResult['costs']>): string {
  const times = rows.map((count, i) => `${count}: ${formatNumber(v[i], 3)}`).join(', ');
  const how = runs === 0 ? 'as given' : `measured in ${measuredIn}, medians of ${runs}`;
  return `of reading so many rows at once, over one: ${times} (${how})`;
}

const verifiedWords = ({
  by,
  texts,
  textsEqual,
  rounds,
  forecastRounds,
}: NonNullable<DraftResult['verified']>): string =>
  `${textsEqual} of ${formatCounted(texts, 'text')} the model’s own, in ${formatCount(rounds)} passes; ${forecastRounds} were forecast (${by})`;

const orNothing = (value: number | null, digits: number): string =>
  value === null ? '–' : formatNumber(value, digits);

function candidateLines({ candidates, chosen }: DraftResult): string[] {
  if (candidates.length === 0) return [];
  return [
    '',
    ...table(
      ['draft', 'bytes', 'agrees', 'pass', 'length', 'tokens a pass', 'times as fast'],
      candidates.map((each) => [
        `${each.name}${each.name === chosen?.name ? ' *' : ''}`,
        formatBytes(each.bytes),
        formatPercent(each.agree),
        orNothing(each.c, 3),
        each.threshold === 0 ? String(each.length) : `${each.length}, from ${each.threshold}`,
        formatNumber(each.tokensPerRound, 3),
        fasterWords(each),
      ]),
    ),
  ];
}

function fasterWords({ speedup, range }: DraftCandidate): string {
  if (speedup === null) return '–';
  return range
    ? `${formatNumber(speedup, 3)} (${range.map((each) => formatNumber(each, 3)).join('–')})`
    : formatNumber(speedup, 3);
}

/** Lengths that are printed; `--json` has all. */
const SHOWN = [1, 2, 4, 8, 16];

function lengthLines(candidates: readonly DraftCandidate[]): string[] {
  if (candidates.every(({ byLength }) => byLength.length === 0)) return [];
  const cells = ({ byLength }: DraftCandidate): string[] =>
    SHOWN.map((wanted) => {
      const found = byLength.find(({ length }) => length === wanted);
      if (!found) return '–';
      const times = found.speedup === null ? '' : ` · ${formatNumber(found.speedup, 3)}`;
      return `${formatNumber(found.tokensPerRound, 3)}${times}`;
    });
  return [
    '',
    ...table(
      ['tokens a pass · times as fast, by length', ...SHOWN.map(String)],
      candidates.map((each) => [each.name, ...cells(each)]),
    ),
  ];
}
