/** Windows of attention in a GGUF file. Gemma 2 and 3 have them; the other architectures attend to all earlier positions. */
import type { Architecture } from '../../checkpoint/architecture';
import type { GgufField } from '../../formats/gguf/layout';
import { cannotWrite } from './cannot';
import { type GgufArchitecture, WINDOW_PERIOD } from '../../checkpoint/gguf/capabilities';
import { u32 } from './metadata';

/** What a file says of the windows, and what it cannot say. */
export interface WindowFields {
  /** Without the name of the architecture. */
  readonly fields: readonly GgufField[];
  readonly notes: readonly string[];
}

/** @throws UserError for windows of several widths, where llama.cpp has one */
export function windowsIn(name: GgufArchitecture, architecture: Architecture): WindowFields {
  const period = WINDOW_PERIOD[name];
  if (period !== undefined) return slidingFields(period, architecture);
  const [{ window }] = architecture.layers;
  // Like llama.cpp's converter: 0 tells its older versions that there is none. Newer ones do not use it.
  const fields = name === 'phi3' ? [['attention.sliding_window', u32(window ?? 0)] as const] : [];
  return { fields, notes: ignoredWindows(architecture) };
}

/** llama.cpp attends to all earlier positions in these architectures. A window as long as the context is none. */
function ignoredWindows({ layers, context }: Architecture): string[] {
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
function slidingFields(period: number, { layers }: Architecture): WindowFields {
  const widths = new Set(layers.flatMap(({ window }) => (window === null ? [] : [window])));
  if (widths.size > 1) throw cannotWrite('its blocks have windows of different widths, and llama.cpp has one for all');
  const [width] = widths;
  const sliding = layers.map(({ window }) => window !== null);
  const follows = sliding.every((slides, block) => slides === block % period < period - 1);
  const fields: GgufField[] = width === undefined ? [] : [['attention.sliding_window', u32(width)]];
  if (follows) return { fields, notes: [] };
  return {
    fields: [
      ...fields,
      ['attention.sliding_window_pattern', { type: 'array', of: 'bool', values: sliding.map(Number) }],
    ],
    notes: [
      'the places of its blocks without a window are not those of the whole model; the file lists them ' +
        '(attention.sliding_window_pattern), which llama.cpp 0.5 reads. Older versions, and programs with a copy of their ' +
        'own, count blocks and get other numbers',
    ],
  };
}
