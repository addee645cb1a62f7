/** What the numbers of a page were computed in. Numbers of another precision than float32 say so beside their name. */
import { isFloat32, precisionWords } from '../../../src/format/arithmetic';
import { t } from '../../support/l10n';
import { runKind } from './run-kinds';

type Precision = string | null | undefined;

/** How a run computed. */
interface Computed {
  /** Of the job; undefined where it is not known. */
  readonly kind?: string;
  readonly precision?: Precision;
  readonly device: string | null;
}

/** "SmolLM2-135M in int8"; the name alone for float32. */
export const namedIn = (name: string, precision: Precision): string =>
  isFloat32(precision)
    ? name
    : t({ message: '{0} in {1}', args: [name, precisionText(precision)], comment: 'A model and its precision: int8' });

/**
 * "float32"; "float32 and int8" where single numbers say their own.
 * @param kind of the job, to tell the two integer arithmetics apart: "int8 per row", "int8 in blocks of 32"
 */
export function precisionText(precision: Precision, kind?: string): string {
  const isByRows = kind !== undefined && runKind(kind).byRows === true;
  if (precision === 'mixed') return isByRows ? t('float32 and int8 per row') : t('float32 and int8');
  if (kind === undefined || (precision !== 'int8' && precision !== 'int4')) return precisionWords(precision);
  return isByRows ? t('{0} per row', precision) : textPrecision(precision);
}

/** Of a model that writes text. */
export const textPrecision = (precision: Precision): string =>
  precision === 'int8' || precision === 'int4' ? t('{0} in blocks of 32', precision) : precisionText(precision);

/** "float32 on cpu"; empty for a run that computed nothing. */
export const arithmeticText = ({ precision, device, kind }: Computed): string =>
  device === null
    ? ''
    : t({
        message: '{0} on {1}',
        args: [precisionText(precision, kind), device],
        comment: 'A precision and a device: cpu',
      });

/** "Computed in float32 on cpu.", of all runs that a chart draws; empty if none computed. */
export function computedText(...runs: readonly Computed[]): string {
  const found = [...new Set(runs.map(arithmeticText))].filter((words) => words !== '');
  return found.length === 0 ? '' : t('Computed in {0}.', found.join(', '));
}

/** Says that numbers of several precisions stand together; empty if they do not. */
export function mixtureNote(precisions: readonly Precision[]): string[] {
  const found = [...new Set(precisions.map((precision) => precisionText(precision)))];
  return found.length < 2
    ? []
    : [t('⚠ Computed in different precisions ({0}): a difference is partly one of precision.', found.join(', '))];
}

/** Says which integers text is written with, where a name has them. */
export const blocksNote = (precisions: readonly Precision[]): string[] =>
  precisions.some((precision) => precision === 'int8' || precision === 'int4')
    ? [t('int8 and int4: weights in blocks of 32.')]
    : [];
