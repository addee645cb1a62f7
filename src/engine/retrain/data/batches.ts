/**
 * Batches from a file, one per step in the file's order: `{"batches": [{"ids": [[…]], "labels": [[…]]}]}`. They let two
 * programs train on the same tokens. Label i belongs to token i; −100 masks a token (PyTorch's convention).
 */
import { counted } from '../../../format/words';
import { isObject } from '../../../format/json';
import type { Example } from './example';
import { countTargets, NO_LABEL } from './example';
import { unusable } from './records';

const MASKED = -100;
const ACTION = 'Give {"batches": [{"ids": [[…]], "labels": [[…]]}]}, labels of the same lengths as ids.';
const LABELS =
  'Give labels other than −100 in each batch; the first label of a row does not count, as no token precedes it.';
/** Shortened LLaMA's whole retraining reads 51 760 · 2 · 256 tokens. */
const TOKEN_CAP = 2 ** 25;

export interface GivenBatches {
  readonly examples: readonly Example[];
  /** For each step, the indices of its examples. */
  readonly batches: readonly (readonly number[])[];
}

/**
 * Checks and converts the content of `file`.
 * @param context maximum tokens of a row
 * @throws UserError naming the field
 */
export function givenBatches(json: unknown, file: string, context = Infinity): GivenBatches {
  const list = isObject(json) ? json.batches : undefined;
  if (!Array.isArray(list) || list.length === 0) throw unusable(file, '"batches" is not a list of batches', ACTION);
  const examples: Example[] = [];
  let tokens = 0;
  const batches = list.map((batch: unknown, b) => {
    const field = `batches[${b}]`;
    if (!isObject(batch) || !Array.isArray(batch.ids) || !Array.isArray(batch.labels) || batch.ids.length === 0) {
      throw unusable(file, `"${field}" has no lists "ids" and "labels"`, ACTION);
    }
    const rowsOfLabels: unknown[] = batch.labels;
    const rows = batch.ids.map((row: unknown, r) => {
      const ids = integers(row, `${field}.ids[${r}]`, 0, file);
      const labels = integers(rowsOfLabels[r], `${field}.labels[${r}]`, MASKED, file);
      if (ids.length !== labels.length) {
        throw unusable(
          file,
          `"${field}" has ${counted(labels.length, 'label')} for ${counted(ids.length, 'id')} in row ${r}`,
          ACTION,
        );
      }
      if (ids.length > context) {
        const why = `"${field}.ids[${r}]" has ${counted(ids.length, 'id')}, the model's context is ${context}`;
        throw unusable(file, why, `Give rows of at most ${context} ids.`);
      }
      tokens += ids.length;
      if (tokens > TOKEN_CAP)
        throw unusable(file, `it has more than the ${TOKEN_CAP} ids allowed`, 'Give fewer batches.');
      examples.push({ ids, labels: labels.map((label) => (label < 0 ? NO_LABEL : label)) });
      return examples.length - 1;
    });
    if (rows.length !== rowsOfLabels.length) {
      throw unusable(
        file,
        `"${field}" has ${rowsOfLabels.length} rows of labels for ${rows.length} rows of ids`,
        ACTION,
      );
    }
    if (!rows.some((i) => countTargets(examples[i]) > 0)) {
      throw unusable(file, `"${field}" has nothing to learn`, LABELS);
    }
    return rows;
  });
  return { examples, batches };
}

/** Integers of at least 0, or `mask`. */
function integers(row: unknown, field: string, mask: number, file: string): Int32Array {
  if (!Array.isArray(row) || row.length === 0) throw unusable(file, `"${field}" is not a list of numbers`, ACTION);
  const bad = row.findIndex((id) => !Number.isInteger(id) || (id < 0 && id !== mask) || id >= 2 ** 31);
  if (bad >= 0) throw unusable(file, `"${field}[${bad}]" is ${JSON.stringify(row[bad])}`, ACTION);
  return Int32Array.from(row as number[]);
}
