/** Scoring in parts. */
import { gatheredWarnings } from '../../engine/importance/not-finite';
import { partsOf, scorePart } from '../../engine/importance/score-part';
import { scoreReport, type ScoreSubject, subjectOf, type ScoreContext } from '../../engine/importance/score-report';
import { withoutRows } from '../../engine/importance/run-criterion';
import { CRITERIA, criterionInfo } from '../../engine/importance/criteria';
import { scoreFrameFault } from '../../engine/importance/score-frame';
import type { ScoreFrame } from '../../engine/importance/criterion';
import { openForComputing } from '../../engine/model/opened';
import { removedJson } from '../../engine/model/view';
import type { Share } from '../../engine/parts/split';
import { Table, TableFault } from '../../engine/parts/table';
import { detailsOf } from '../../engine/records/details';
import { score } from '../definitions/score';
import { modelOptions, recordedOptions } from '../run';
import type { CutJob } from './cut';
import { scoreFault } from './faults';
import { filledOf } from './filled';
import { rangeWords, rowsWords, workWords } from './work-words';

/** What the numbers mean, and what the report says besides. */
interface Frame {
  readonly subject: ScoreSubject;
  readonly calibration: ScoreContext['calibration'];
  readonly score: ScoreFrame;
}

export const cutScore: CutJob<'score'> = {
  fault: scoreFault,
  // Parts are in one precision: a screen would have to see all numbers to know which ones matter.
  exactly: (options) => {
    const isScreened = options.precision === 'auto' && criterionInfo(options.criterion).screens === true;
    return isScreened ? { ...options, precision: 'float32' } : options;
  },
  measure: async (options, context, part) => {
    const { criterion, granularity } = options;
    const precision = options.precision === 'int4' ? 'float32' : options.precision; // the definition refuses int4
    const opened = await openForComputing(options.checkpoint, options, context.job);
    const { checkpoint, removed, view, changes, inputs } = opened;
    const compute = { ...options, ...modelOptions(options, context), precision };
    const scored = await scorePart(checkpoint, criterion, compute, part, context.job, { view, granularity, changes });
    scored.warnings.forEach(context.warn);
    const calibration = scored.calibration ? withoutRows(scored.calibration) : null;
    const subject = subjectOf(opened, criterion);
    const frame: Frame = {
      subject: { ...subject, model: { ...subject.model, path: '' } },
      calibration,
      score: scored.frame,
    };
    return {
      share: scored.share,
      work: scoreWork(scored.frame, scored.share, (await partsOf(criterion)).oneRow === true),
      frame,
      data: scored.filled,
      ...(scored.fit && { fit: scored.fit }),
      path: checkpoint.path,
      run: detailsOf(checkpoint, options, {
        inputs: [...scored.inputs, ...inputs],
        settings: { ...recordedOptions(score, options), removed: removedJson(removed), ...scored.settings },
        seed: scored.seed,
        device: scored.device,
        precision: scored.frame.precision,
      }),
    };
  },
  finish: async ({ frame: given, data, path, seconds, peakRssBytes, device, precision, fit }) => {
    const { subject: named, calibration, score: frame } = given as Frame; // of records with one identity, made by `measure`
    const subject = { ...named, model: { ...named.model, path } };
    // It names a file of code.
    if (!CRITERIA.includes(subject.criterion)) throw new TableFault('the frame names no criterion');
    const fault = scoreFrameFault(frame);
    if (fault !== undefined) throw new TableFault(`frame.score: ${fault}`);
    const { result: resultOf, oneRow, cause } = await partsOf(subject.criterion);
    const table = new Table(filledOf(data), oneRow ? 1 : frame.rows);
    const result = resultOf(table, frame);
    const scored = { result, calibration, device, precision, ...(fit && { fit }) };
    const { summary, results } = scoreReport(subject, scored, { seconds, peak: peakRssBytes });
    return { result: summary, results, warnings: gatheredWarnings(result, cause?.(table, frame)) };
  },
};

/** @param oneRow whether the table has one row for the whole text */
function scoreWork({ steps, granularity, rows }: ScoreFrame, share: Share, oneRow: boolean): string {
  const names = steps.map(({ block, attention }) => {
    const part = attention ? 'attention' : 'ffn';
    return granularity === 'module' ? `${block}.${part}` : block;
  });
  return workWords(
    oneRow ? undefined : rowsWords(share.rows, rows),
    !oneRow && share.whole ? 'the original' : undefined,
    rangeWords(granularity, share.candidates, names),
  );
}
