/** What the chapters of the demo share: the model, the material, the folder, and how the page is written. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer';
import type { DemoOptions } from '../commands/demo';
import type { Shell } from '../execute';
import type { Material } from './material';

export interface Story {
  readonly checkpoint: Checkpoint;
  readonly blocks: number;
  readonly tokenizer: Tokenizer;
  readonly material: Material;
  /** Tokens of a row: as the material has it, where the model's context allows. */
  readonly length: number;
  /** Where everything goes. */
  readonly folder: string;
  readonly options: DemoOptions;
  readonly shell: Shell;
}

/** Starts a chapter of the page. */
export function heading({ style, print }: Shell, title: string, ...lines: readonly string[]): void {
  print('', style.bold(title), ...lines);
}

/** Text of a model in one line of the page. */
export const inOneLine = (text: string, { shown }: Shell): string => shown(text.replace(/\s+/g, ' ').trim());

/** "4, 6 and 7". */
export function listed(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
