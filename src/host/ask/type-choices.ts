/** The types of weights as choices, for goals and exports: what each keeps, which one to take, and how large it makes the files. Does not use VS Code. */
import { isQuantizedGguf } from '../../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { UserError } from '../../engine/errors';
import { formatBytes } from '../../format/numbers';
import { finerWords } from '../../jobs/finer-words';
import { type ExportFormat, FORMATS } from '../../engine/write/formats';
import { keptType } from '../../estimates/written-bytes';
import { l10n } from '../../l10n';
import type { TypeSize } from './export-sizes';
import type { PickChoice } from './steps';

/** Every weight keeps the type that it has. */
export const STORED = 'stored';

/** The type that is proposed, and says so. What is quantized already is not rounded again. */
export function recommendedType(checkpoint: Checkpoint, format: ExportFormat): string {
  if (format === 'gguf' && isQuantizedGguf(checkpoint)) return STORED;
  return FORMATS[format].proposed ?? STORED;
}

interface Words {
  /** What is said about a size. */
  readonly told?: (bytes: number) => string;
  /** Why a type cannot be written. */
  readonly refused: (fault: UserError) => string;
}

export function typeChoices(
  checkpoint: Checkpoint,
  format: ExportFormat,
  sizes: readonly TypeSize[],
  { told = formatBytes, refused }: Words,
): PickChoice<string>[] {
  // As stored comes first.
  const place = (value: string): number => FORMATS[format].byUse.indexOf(value);
  const choices = sizes.map(({ type, bytes, finer, fault }): PickChoice<string> => {
    const value = type ?? STORED;
    const label = type ?? l10n.t('As stored');
    if (fault) return { label, value, refused: refused(fault) };
    const words = [
      ...(bytes === undefined ? [] : [told(bytes)]),
      ...(finer ? [finerWords(finer)] : [qualityWords(checkpoint, value)]),
      ...(value === recommendedType(checkpoint, format) ? [l10n.t('recommended')] : []),
      ...(bytes !== undefined && bytes > checkpoint.size.all
        ? [l10n.t('larger than now: {0}', formatBytes(checkpoint.size.all))]
        : []),
    ];
    return { label, description: words.filter((each) => each !== '').join(' · '), value };
  });
  return choices.sort((a, b) => place(a.value) - place(b.value));
}

/** What a type keeps of the model, in a few words. */
function qualityWords(checkpoint: Checkpoint, type: string): string {
  const { t } = l10n;
  const again = isQuantizedGguf(checkpoint) && type !== STORED;
  switch (type) {
    case STORED:
      return t('no loss');
    case 'f32':
    case 'fp32':
      return keptType(checkpoint) === 'f32' ? t('no loss') : t('no loss, and no gain but for training');
    case 'f16':
    case 'bf16':
    case 'fp16':
      return keptType(checkpoint) === type ? t('no loss') : t('practically no loss');
    case 'q8_0':
    case 'q8':
      return again ? t('rounded again, practically no loss') : t('practically no loss');
    case 'q6_k':
      return again ? t('rounded again, hardly worse') : t('hardly worse');
    case 'q5_1':
    case 'q5_0':
    case 'q5_k_m':
    case 'q5_k_s':
      return again ? t('rounded again, a little worse') : t('a little worse');
    case 'q3_k_l':
    case 'q3_k_m':
    case 'q3_k_s':
    case 'q2_k':
      return t('much worse for small models');
    default:
      return again ? t('rounded again, visibly worse for small models') : t('visibly worse for small models');
  }
}
