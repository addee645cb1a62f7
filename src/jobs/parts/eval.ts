/** Evaluations in parts: each measures some rows. */
import type { TextSize } from '../../engine/evaluate/bits-per-byte';
import { evalWork } from '../../engine/evaluate/cut-work';
import { filledByRow, rowNumbersIn } from '../../engine/evaluate/row-numbers';
import { shareOf } from '../../engine/parts/split';
import { Table } from '../../engine/parts/table';
import {
  beyondReason,
  evalResult,
  evalSubject,
  type EvaluatedFacts,
  judgedVocabulary,
  measureEvalRows,
  tellBeginning,
  withEvalModels,
} from '../runs/eval-subject';
import type { CutJob } from './cut';
import { evalFault } from './faults';
import { filledOf } from './filled';
import { rowsWords, workWords } from './work-words';

/** What the numbers mean, and what the result says besides. */
interface Frame {
  /** All rows, and tokens per row. */
  readonly rows: number;
  readonly length: number;
  readonly facts: EvaluatedFacts;
  /** How long the text in the rows is; undefined for rows of ids. */
  readonly textSize?: TextSize;
  /** By which the perplexity may be beyond reason. */
  readonly vocabulary?: number;
}

export const cutEval: CutJob<'eval'> = {
  fault: evalFault,
  measure: async (options, context, part) => {
    const subject = await evalSubject(options, context);
    const { rows, textSize, facts, opened } = subject;
    const vocabulary = judgedVocabulary(subject);
    const frame: Frame = {
      ...{ rows: rows.length, length: rows[0].length, facts },
      ...(textSize && { textSize }),
      ...(vocabulary && { vocabulary }),
    };
    const share = shareOf(evalWork(frame), part);
    const own = rows.slice(share.rows.from, share.rows.to);
    const { measured, device } = await withEvalModels(subject, options, context, async (models) => {
      const found = await measureEvalRows(models, own, context.job);
      if (part.number === 1) await tellBeginning(models, subject, context);
      return { measured: found, device: models.own.device };
    });
    if (measured.warning !== undefined) context.warn(measured.warning);
    return {
      share,
      work: workWords(rowsWords(share.rows, rows.length)),
      frame,
      data: filledByRow(0, share.rows, [measured.numbers]),
      path: opened.checkpoint.path,
      run: subject.run(device),
    };
  },
  finish: ({ frame: given, data, seconds }) => {
    const { rows, length, facts, textSize, vocabulary } = given as Frame; // of records with one identity, made by `measure`
    const numbers = rowNumbersIn(new Table(filledOf(data), rows), 0, facts.against !== undefined);
    const result = evalResult(numbers, { length, textSize }, facts, { seconds });
    return { result, warnings: beyondReason(result, vocabulary) };
  },
};
