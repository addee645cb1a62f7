/** Options for cutting a text into windows. */
import { DEFAULT_WINDOW } from '../../engine/importance/drawing';
import { type Option, whole } from '../option';

/** Tokens of an evaluation window. */
export const window = (help: string): Option<number, 'default'> =>
  whole(help, { min: 2, why: 'the first token of a window is not scored', default: DEFAULT_WINDOW });
