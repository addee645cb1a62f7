/** What the numbers of a page were computed in. Numbers of another precision than float32 say so beside their name. */
import { isFloat32, precisionWords } from '../../../src/format/arithmetic';
import { t } from '../../support/l10n';

type Precision = string | null | undefined;

/** How a run computed. */
interface Computed {
  readonly precision?: Precision;
  readonly device: string | null;
}

/** "SmolLM2-135M in int8"; the name alone for float32. */
export const namedIn = (name: string, precision: Precision): string =>
  isFloat32(precision)
    ? name
    : t({ message: '{0} in {1}', args: [name, precisionText(precision)], comment: 'A model and its precision: int8' });

/** "float32"; "float32 and int8" where single numbers say their own. */
export const precisionText = (precision: Precision): string =>
  precision === 'mixed' ? t('float32 and int8') : precisionWords(precision);

/** "float32 on cpu"; empty for a run that computed nothing. */
export const arithmeticText = ({ precision, device }: Computed): string =>
  device === null
    ? ''
    : t({ message: '{0} on {1}', args: [precisionText(precision), device], comment: 'A precision and a device: cpu' });

/** "Computed in float32 on cpu.", of all runs that a chart draws; empty if none computed. */
export function computedText(...runs: readonly Computed[]): string {
  const found = [...new Set(runs.map(arithmeticText))].filter((words) => words !== '');
  return found.length === 0 ? '' : t('Computed in {0}.', found.join(', '));
}

/** Says that numbers of several precisions stand together; empty if they do not. */
export function mixtureNote(precisions: readonly Precision[]): string[] {
  const found = [...new Set(precisions.map(precisionText))];
  return found.length < 2
    ? []
    : [t('⚠ Computed in different precisions ({0}): a difference is partly one of precision.', found.join(', '))];
}
