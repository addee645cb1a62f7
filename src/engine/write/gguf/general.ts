/** The metadata of a GGUF file that describes the model, under the keys and with the types that llama.cpp reads. */
import type { Architecture } from '../../checkpoint/architecture';
import { fileTypeNumber } from '../../checkpoint/gguf/file-types';
import { parametersOf } from '../../checkpoint/parameters';
import type { GgufField } from '../../formats/gguf/layout';
import { isQuantized } from '../../formats/gguf/quantize';
import { text, u32 } from '../../formats/gguf/values';
import type { RewrittenDtype } from '../rewrite';
import { QUANTIZATION_VERSION } from './types';

const UNITS = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'K'],
] as const;

/** The types in a file. */
interface Dtypes {
  /** llama.cpp's name of the mix, in any case. */
  readonly mix: string;
  readonly all: Iterable<RewrittenDtype>;
}

/** What the file is, for people and for lists of models. */
export function generalFields(
  architecture: Architecture,
  facts: { readonly dialect: string; readonly name: string; readonly description?: string; readonly dtypes: Dtypes },
): GgufField[] {
  return [
    ['general.architecture', text(facts.dialect)],
    ['general.type', text('model')],
    ['general.name', text(facts.name)],
    ...(facts.description === undefined ? [] : [['general.description', text(facts.description)] as const]),
    ['general.size_label', text(sizeLabel(parametersOf(architecture)))],
    ['general.file_type', u32(fileTypeNumber(facts.dtypes.mix))],
    ...([...facts.dtypes.all].some(isQuantized)
      ? [['general.quantization_version', u32(QUANTIZATION_VERSION)] as const]
      : []),
  ];
}

/** "135M": parameters in at most three digits. */
export function sizeLabel(parameters: number): string {
  const [unit, letter] = UNITS.find(([size]) => parameters >= size) ?? [1, ''];
  const count = parameters / unit;
  return `${count >= 9.95 ? Math.round(count) : Number(count.toFixed(1))}${letter}`;
}
