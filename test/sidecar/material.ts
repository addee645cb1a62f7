/** A toy model and texts that jobs run on. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../support/temporary';
import { tinyCheckpoint } from '../support/tiny-models';

const SENTENCES = [
  'The river bends, and the mill stands where it always stood.',
  'In the evening she sings to the miller, and the wheel goes round.',
  'A stone in the stream thinks of nothing at all.',
  'When the snow is on the road, the carts come late to the town.',
];

export interface Material {
  readonly model: string;
  /** Calibration and training text: paragraphs. */
  readonly text: string;
}

/**
 * @param blocks more of them make jobs last longer
 * @param paragraphs of the text
 */
export function material(blocks = 6, paragraphs = 40): Material {
  const model = tinyCheckpoint('llama-gqa-tied', { tokenizer: true, config: { num_hidden_layers: blocks } });
  const text = join(temporaryFolder(), 'text.txt');
  const parts = Array.from({ length: paragraphs }, (_, i) =>
    [0, 1, 2, 3].map((k) => SENTENCES[(i * (k + 1) + k) % SENTENCES.length]).join(' '),
  );
  writeFileSync(text, parts.join('\n\n'));
  return { model, text };
}
