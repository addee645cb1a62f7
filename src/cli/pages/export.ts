/** What `coppice export` prints. */
import { measuredWords } from '../../jobs/measured-words';
import { formatSeconds } from '../../format/durations';
import { formatBytes, formatCount } from '../../format/numbers';
import { counted } from '../../format/words';
import type { ImatrixResult, MeasuredKind } from '../../jobs/results/export';
import { finerWords } from '../../jobs/finer-words';
import { facts } from '../terminal/text';
import type { Page } from './page';
import { consumerFacts, verifiedFacts } from './verify';

export const exportPage: Page<'export'> = ({ modelfile }, { shown }) => ({
  page: ({
    format,
    type,
    out,
    bytes,
    files,
    finer,
    imatrix,
    removed,
    parametersAfter,
    verified,
    measured,
    consumers,
    seconds,
  }) =>
    facts([
      ['format', `${format}, ${type === 'stored' ? 'each weight in its own type' : type}`],
      ['removed', removed.join(', ') || 'nothing'],
      ['size', `${formatCount(parametersAfter)} parameters, ${formatBytes(bytes)} in ${counted(files.length, 'file')}`],
      ...(finer ? [['', finerWords(finer)] as const] : []),
      ...(imatrix ? [['imatrix', imatrixWords(imatrix)] as const] : []),
      ...(verified ? verifiedFacts(verified) : [['verified', 'no'] as const]),
      ...(measured ?? []).flatMap(measuredFacts),
      ...consumerFacts(consumers ?? []),
      ['written', `${shown(out)} in ${formatSeconds(seconds)}`],
      ...(modelfile ? [['written', shown(`${out}.Modelfile`)] as const] : []),
    ]),
});

function measuredFacts(kind: MeasuredKind): (readonly [string, string])[] {
  const words = measuredWords(kind);
  return words === '' ? [] : [[kind.type, words]];
}

/** "auto: 84 matrices, from 128 tokens of 4 rows" */
function imatrixWords({ from, matrices, tokens, rows }: ImatrixResult): string {
  const read = tokens === undefined ? '' : `, from ${formatCount(tokens)} tokens of ${counted(rows ?? 1, 'row')}`;
  return `${from}: ${formatCount(matrices)} ${matrices === 1 ? 'matrix' : 'matrices'}${read}`;
}
