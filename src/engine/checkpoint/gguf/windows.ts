/** Windows of attention by the metadata of a GGUF file. */
import { MAX_DIMENSION } from '../../formats/limits';
import { type GgufArchitecture, WINDOW_PERIOD } from './capabilities';
import type { GgufFields } from './fields';

const WIDTH = 'attention.sliding_window';
const PATTERN = 'attention.sliding_window_pattern';

/** llama.cpp's own for Gemma 2. */
const GEMMA2_WINDOW = 4096;

/** A window for each block, and what is said about them. @throws UserError for a list of another length, or an impossible number */
export function windowsOf(
  name: GgufArchitecture,
  fields: GgufFields,
  blocks: number,
): { readonly windows: readonly (number | null)[]; readonly notes: readonly string[] } {
  const none = Array<null>(blocks).fill(null);
  const period = WINDOW_PERIOD[name];
  const said = fields.optional(fields.key(WIDTH));
  if (period === undefined) {
    const notes =
      typeof said === 'number' && said > 0
        ? [`${fields.key(WIDTH)} is ${said}; llama.cpp attends to all earlier positions, and so does Coppice`]
        : [];
    return { windows: none, notes };
  }
  const width = fields.count(WIDTH, MAX_DIMENSION.context, name === 'gemma2' ? GEMMA2_WINDOW : 0, 0);
  if (width === 0) return { windows: none, notes: [] };
  const sliding = slidingOf(fields, blocks, period);
  return { windows: sliding.map((slides) => (slides ? width : null)), notes: [] };
}

/** OLMo 3's files have OLMo 2's architecture and windows, in which they also rotate otherwise. */
export const hasUnknownWindows = (name: GgufArchitecture, fields: GgufFields): boolean => {
  const width = fields.optional(fields.key(WIDTH));
  return name === 'olmo2' && width !== undefined && width !== 0;
};

/** Of as many blocks as a number says all but the last slide; 0 stands for all of all. */
function slidingOf(fields: GgufFields, blocks: number, usual: number): readonly boolean[] {
  const listed = fields.optional(fields.key(PATTERN));
  if (typeof listed !== 'object') {
    const period = fields.count(PATTERN, MAX_DIMENSION.blocks, usual, 0);
    return Array.from({ length: blocks }, (_, block) => period === 0 || block % period < period - 1);
  }
  if (listed.length !== blocks || listed.first.length !== blocks) {
    throw fields.bad(fields.key(PATTERN), `it lists ${listed.length} kinds for ${blocks} blocks`);
  }
  return listed.first.map((value) => value !== 0 && value !== false);
}
