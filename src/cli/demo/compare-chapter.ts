/** The last chapter: the models side by side, in numbers and in words. */
import type { Checkpoint } from '../../engine/checkpoint/types';
import { CALIBRATION_IS_EVALUATION } from '../../engine/evaluate/calibrated';
import type { Calibration } from '../../engine/importance/calibration';
import { fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { readTextFile } from '../../engine/files/text-file';
import { formatNumber } from '../../format/numbers';
import { table } from '../terminal/text';
import { costsOf, type Examination, qualityOf } from './examine';
import { heading, inOneLine, type Story } from './story';

const MAX_TEXT_BYTES = 64 * 2 ** 20;

/** A model under the name that the page gives it. */
export interface Contestant {
  readonly name: string;
  readonly checkpoint: Checkpoint;
}

/**
 * @param calibration what the blocks were scored with: the text should be another
 * @returns an examination for each of the models, in their order, and the text that they were measured on
 */
export async function compareChapter(
  { tokenizer, material, length, options, shell }: Story,
  number: number,
  models: readonly Contestant[],
  calibration: Calibration,
): Promise<{ found: Examination[]; text: RunInput }> {
  heading(
    shell,
    `${number}. Compare`,
    'One text, which neither chose nor taught anything, and the same prompts for all.',
    '',
  );
  const { text, sha256 } = await readTextFile(material.text, MAX_TEXT_BYTES, 'A few thousand words are enough.');
  if (calibration.sha256 === sha256) shell.warn(CALIBRATION_IS_EVALUATION);
  const ids = await tokenizer.encode(text, { addSpecialTokens: false });
  const task = { ids, prompts: material.prompts, window: length };
  const qualities = [];
  for (const { checkpoint } of models) qualities.push(await qualityOf(checkpoint, tokenizer, task, options, shell));
  const costs = await costsOf(
    models.map(({ checkpoint }) => checkpoint),
    options,
    shell.job,
  );
  const found = qualities.map((quality, i): Examination => ({ ...quality, ...costs[i] }));
  const names = models.map(({ name }) => name);
  shell.print(...numbers(names, found));
  const width = Math.max(...names.map((name) => name.length));
  for (const [p, prompt] of material.prompts.entries()) {
    shell.print('', shell.style.bold(prompt));
    for (const [i, { continuations }] of found.entries()) {
      shell.print(`  ${names[i].padEnd(width)}  ${inOneLine(continuations[p].text, shell)}`);
    }
  }
  return { found, text: fileInput('text', material.text, sha256) };
}

function numbers(names: readonly string[], found: readonly Examination[]): string[] {
  const row = (name: string, value: (of: Examination) => number, digits: number): string[] => [
    name,
    ...found.map((each) => formatNumber(value(each), digits)),
  ];
  return table(
    ['', ...names.map((name) => `>${name}`)],
    [
      row('perplexity', ({ ppl }) => ppl, 4),
      row('million parameters', ({ parameters }) => parameters / 1e6, 3),
      row('megabytes', ({ bytes }) => bytes / 1e6, 3),
      row('tokens per second', ({ tokensPerSecond }) => tokensPerSecond, 3),
    ],
  );
}
