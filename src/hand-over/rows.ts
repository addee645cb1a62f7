/** Rows of a training as lines of JSON: token ids, labels, and the text where it gives exactly these ids. */
import { UserError } from '../engine/errors';
import { readTextFile } from '../engine/files/text-file';
import { type Example, NO_LABEL } from '../engine/retrain/data/example';
import type { Tokenizer } from '../engine/tokenizer/tokenizer';
import { isObject } from '../format/json';

/** The label of a token that is read and not learned, as PyTorch has it. */
const IGNORED = -100;
const MAX_BYTES = 512 * 2 ** 20;
/** Texts that are encoded in one go. */
const AT_ONCE = 64;

export type SplitName = 'train' | 'held-out';

/** @returns the text of the file */
export async function rowLines(examples: readonly Example[], split: SplitName, tokenizer: Tokenizer): Promise<string> {
  const lines: string[] = [];
  for (let start = 0; start < examples.length; start += AT_ONCE) {
    const some = examples.slice(start, start + AT_ONCE);
    const texts = await Promise.all(
      some.map(({ ids }) => tokenizer.decode(Array.from(ids), { skipSpecialTokens: false })),
    );
    const again = await tokenizer.encodeEach(texts, { addSpecialTokens: false });
    for (const [i, { ids, labels }] of some.entries()) {
      // The first token has nothing before it, so it is not learned, also where it has a label.
      const shown = Array.from(labels, (label, t) => (t === 0 || label === NO_LABEL ? IGNORED : label));
      const isFaithful = again[i].length === ids.length && again[i].every((id, t) => id === ids[t]);
      lines.push(
        JSON.stringify({
          split,
          input_ids: Array.from(ids),
          labels: shown,
          ...(isFaithful && { text: texts[i] }),
        }),
      );
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

/** @param vocabulary ids are below it @throws UserError naming file, line and field */
export async function readRows(file: string, vocabulary: number): Promise<Example[]> {
  const { text } = await readTextFile(file, MAX_BYTES, 'Rows of a hand-over are far smaller.');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => rowOf(line, vocabulary, `${file}, line ${i + 1}`));
}

function rowOf(line: string, vocabulary: number, place: string): Example {
  const refuse = (why: string): UserError =>
    new UserError(`${place} cannot be read`, why, 'Copy the file from the hand-over again.');
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch {
    throw refuse('it is not JSON');
  }
  if (!isObject(row)) throw refuse('it is not an object');
  const { input_ids: ids, labels } = row;
  const isId = (id: unknown): id is number =>
    typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabulary;
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every(isId)) throw refuse('input_ids are not ids of the model');
  if (!Array.isArray(labels) || labels.length !== ids.length) throw refuse('labels are not as many as input_ids');
  if (!labels.every((label): label is number => label === IGNORED || isId(label)))
    throw refuse('labels are not ids of the model');
  return { ids: Int32Array.from(ids), labels: Int32Array.from(labels, (l) => (l === IGNORED ? NO_LABEL : l)) };
}
