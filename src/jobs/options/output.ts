/** Options for the output of a job. */
import type { WeightDtype } from '../../engine/formats/dtype';
import { choice, folder } from '../option';
import { l10n } from '../../l10n';

export const out = (help: string) =>
  folder(help, { required: true, writes: true, noun: () => l10n.t('output folder') });

const DTYPES = ['f32', 'bf16', 'f16'] as const satisfies readonly Lowercase<WeightDtype>[];

export const dtype = choice(DTYPES, "type of the new weights (default: the source's)", {
  noun: () => l10n.t('type of the weights'),
  placeholder: 'name',
});

const STORED = { f32: 'F32', bf16: 'BF16', f16: 'F16' } as const satisfies Record<(typeof DTYPES)[number], WeightDtype>;

/** The name of the type in files, results and records; undefined if each weight keeps its type. */
export const storedDtype = (name: (typeof DTYPES)[number] | undefined): WeightDtype | undefined => name && STORED[name];

/** The option's value for a stored type. */
export const dtypeOption = (stored: WeightDtype | undefined): (typeof DTYPES)[number] | undefined =>
  DTYPES.find((name) => STORED[name] === stored);
