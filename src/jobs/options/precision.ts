/** The arithmetic of a job. */
import { PRECISION_CHOICES, type PrecisionChoice } from '../../engine/precision';
import { l10n } from '../../l10n';
import { choice } from '../option';

const details = {
  placeholder: 'name',
  default: 'auto',
  implied: true,
  recorded: true,
  noun: () => l10n.t('the precision'),
} as const;

/** @param help what `auto` does in this job */
export const precisionOption = (help: string) => choice(PRECISION_CHOICES, help, details);

/** Of a retraining. */
export const trainedPrecision = choice(
  ['auto', 'float32', 'int8'],
  'float32 (auto), or int8: products of the frozen weights in 8-bit integers, on the CPU; faster, and a little less exact',
  details,
);

const FLOATS = ['auto', 'float32', 'float16', 'bfloat16'] as const;

/** Of a job that writes text. */
export const textPrecision = choice(
  PRECISION_CHOICES,
  'float32, int8 or int4 in blocks of 32 (CPU), bfloat16 (CPU: Linux on arm64), float16 (GPU); auto: float32 where the model ' +
    'fits into half of the free memory, else int8, else int4',
  { ...details, setting: 'coppice.textPrecision', token: 'text.precision' },
);

/** Of a job that measures what models write with. */
export const measuredPrecision = choice(
  PRECISION_CHOICES,
  'float32, int8 or int4 in blocks of 32 (CPU), bfloat16 (CPU: Linux on arm64), float16 (GPU); auto: what generate would take',
  details,
);

/** Of a job that measures quality. */
export const evalPrecision = choice(
  PRECISION_CHOICES,
  'float32 (auto); int8 or int4 in blocks of 32, as text is written (CPU); bfloat16 (CPU: Linux on arm64); float16 (GPU)',
  details,
);

/** Of a job that measures and has no integer arithmetic. */
export const floatPrecision = choice(
  FLOATS,
  'float32 (auto); float16: Linears and attention products in half precision, on a GPU; bfloat16: Linears, on the CPU ' +
    '(Linux on arm64)',
  details,
);

/** What `auto` means for numbers that are published. */
export const floatOf = <P extends PrecisionChoice>(precision: P): Exclude<P, 'auto'> | 'float32' =>
  precision === 'auto' ? 'float32' : (precision as Exclude<P, 'auto'>);
