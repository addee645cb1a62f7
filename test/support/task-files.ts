/** Made-up questions in the layouts of two of the data sets, and some of the user's own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PIQA = [
  ['To keep soup warm,', 'put a lid on the pot.', 'put the lid under the pot.', 0],
  ['To open a window,', 'paint the frame.', 'turn the handle.', 1],
  ['To dry a towel,', 'hang it in the sun.', 'hang it in the rain.', 0],
  ['To write a letter,', 'take a spoon.', 'take a pen.', 1],
] as const;

const ARC = [
  ['What do plants need to grow?', ['light', 'noise', 'glass'], 'A'],
  ['What falls from clouds?', ['sand', 'rain', 'bread'], 'B'],
  ['Which animal can fly?', ['a cow', 'a fish', 'a bird', 'a horse'], 'D'],
] as const;

const OWN = [
  { context: 'The sky is', choices: ['blue', 'loud'], answer: 0 },
  { prompt: 'The river', expected: ['.', 'e'], match: 'contains', maxTokens: 4 },
] as const;

/** Writes them into `folder`. @returns the folder of data, and the file of own questions */
export function taskFiles(folder: string): { readonly data: string; readonly own: string } {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const lines = (records: readonly object[]): string => records.map((each) => `${JSON.stringify(each)}\n`).join('');
  write('piqa_valid.jsonl', lines(PIQA.map(([goal, sol1, sol2]) => ({ id: '', goal, sol1, sol2 }))));
  write('piqa_valid-labels.lst', PIQA.map(([, , , label]) => `${label}\n`).join(''));
  write(
    'ARC-Easy-Test.jsonl',
    lines(
      ARC.map(([stem, choices, answerKey], i) => ({
        id: String(i),
        question: { stem, choices: choices.map((text, c) => ({ text, label: 'ABCD'[c] })) },
        answerKey,
      })),
    ),
  );
  return { data: folder, own: write('own.json', JSON.stringify({ items: OWN })) };
}
