/** Windows of attention in a GGUF file. Gemma 2 and 3 have them; the other dialects attend to all earlier positions. */
import type { GgufField } from '../../formats/gguf/layout';
import { u32 } from '../../formats/gguf/values';
import { MAX_DIMENSION } from '../../formats/limits';
import type { GgufArchitecture } from './shapes';
import { cannotWrite } from './cannot';
import type { Dialect } from './dialects/dialect';
import type { GgufFields } from './fields';

const WIDTH = 'attention.sliding_window';
export const PATTERN = 'attention.sliding_window_pattern';

/** A window for each block, and what is said about them. @throws UserError for a list of another length, or an impossible number */
export function readWindows(
  fields: GgufFields,
  { windows: has }: Dialect,
  blocks: number,
): { readonly windows: readonly (number | null)[]; readonly notes: readonly string[] } {
  const none = Array<null>(blocks).fill(null);
  if (typeof has !== 'object') {
    const said = fields.optional(fields.key(WIDTH));
    const notes =
      typeof said === 'number' && said > 0
        ? [`${fields.key(WIDTH)} is ${said}; llama.cpp attends to all earlier positions, and so does Coppice`]
        : [];
    return { windows: none, notes };
  }
  const width = fields.count(WIDTH, MAX_DIMENSION.context, has.width ?? 0, 0);
  if (width === 0) return { windows: none, notes: [] };
  const sliding = readSliding(fields, blocks, has.period);
  return { windows: sliding.map((slides) => (slides ? width : null)), notes: [] };
}

const slidesBy = (period: number, block: number): boolean => block % period < period - 1;

/** Of as many blocks as a number says all but the last slide; 0 stands for all of all. */
function readSliding(fields: GgufFields, blocks: number, usual: number): readonly boolean[] {
  const listed = fields.optional(fields.key(PATTERN));
  if (typeof listed !== 'object') {
    const period = fields.count(PATTERN, MAX_DIMENSION.blocks, usual, 0);
    return Array.from({ length: blocks }, (_, block) => period === 0 || slidesBy(period, block));
  }
  if (listed.length !== blocks || listed.first.length !== blocks) {
    throw fields.bad(fields.key(PATTERN), `it lists ${listed.length} kinds for ${blocks} blocks`);
  }
  return listed.first.map((value) => value !== 0 && value !== false);
}

/** What a file says of the windows, and what it cannot say. */
interface WrittenWindows {
  /** Without the name of the architecture. */
  readonly fields: readonly GgufField[];
  readonly notes: readonly string[];
}

/** @throws UserError for windows of several widths, where llama.cpp has one */
export function writeWindows({ windows: has }: Dialect, architecture: GgufArchitecture): WrittenWindows {
  if (typeof has === 'object') return slidingFields(has.period, architecture);
  const [{ window }] = architecture.layers;
  const fields = has === 'unused' ? [[WIDTH, u32(window ?? 0)] as const] : [];
  return { fields, notes: ignoredWindows(architecture) };
}

/** llama.cpp attends to all earlier positions in these architectures. A window as long as the context is none. */
function ignoredWindows({ layers, context }: GgufArchitecture): string[] {
  const windows = layers.flatMap(({ window }) => (window !== null && window < context ? [window] : []));
  if (windows.length === 0) return [];
  const which = windows.length === layers.length ? 'its blocks' : `${windows.length} of its ${layers.length} blocks`;
  const least = Math.min(...windows);
  return [
    `${which} attend to a window of ${least} tokens, which a GGUF file of this architecture cannot say: ` +
      `llama.cpp attends to all of them, so texts of more than ${least} tokens get other numbers there`,
  ];
}

/** llama.cpp goes by the numbers of the blocks; a list of them is for models that do not follow its rule. */
function slidingFields(period: number, { layers }: GgufArchitecture): WrittenWindows {
  const widths = new Set(layers.flatMap(({ window }) => (window === null ? [] : [window])));
  if (widths.size > 1) throw cannotWrite('its blocks have windows of different widths, and llama.cpp has one for all');
  const [width] = widths;
  const sliding = layers.map(({ window }) => window !== null);
  const fields: GgufField[] = width === undefined ? [] : [[WIDTH, u32(width)]];
  if (sliding.every((slides, block) => slides === slidesBy(period, block))) return { fields, notes: [] };
  return {
    fields: [...fields, [PATTERN, { type: 'array', of: 'bool', values: sliding.map(Number) }]],
    notes: [
      'the places of its blocks without a window are not those of the original; the file lists them ' +
        '(attention.sliding_window_pattern), which llama.cpp 0.5 reads. Older versions, and programs with a copy of their ' +
        'own, count blocks and get other numbers',
    ],
  };
}
