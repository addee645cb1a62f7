/** How fast several models read and write, measured in turns. */
import { fittingLengths, measureInTurns } from '../../engine/evaluate/measure-turns';
import { sizeOfView } from '../../engine/evaluate/measure';
import { DEFAULT_SEED } from '../../engine/importance/drawing';
import { UserError } from '../../engine/errors';
import { detailsOf } from '../../engine/records/details';
import { openModel, type Model } from '../../engine/model/model';
import { type OpenedModel, openForComputing } from '../../engine/model/opened';
import type { BenchSpec, MeasuredModel } from '../../protocol/bench';
import { columnInfo, inputsOf, orUnable, type Unable, words } from './columns';
import { type Job, modelOptions, secondsSince, wanted } from './job';

interface Opening {
  readonly label: string;
  readonly opened: OpenedModel;
  readonly model: Model;
}

/** As the command line has them, but for the repeats: a spread of three says little. */
const USUAL = { promptTokens: 128, newTokens: 64, repeats: 5, seed: DEFAULT_SEED };

export const bench: Job<'bench', BenchSpec> = async (spec, { hooks, job }) => {
  const start = performance.now();
  const { promptTokens, newTokens, repeats, seed } = { ...USUAL, ...spec };
  if (spec.columns.length === 0) throw new UserError('Nothing to measure', 'no model is named', 'Choose one.');
  const columns: (Opening | Unable)[] = [];
  try {
    for (const column of spec.columns) {
      const { label } = column;
      const open = async (): Promise<Opening> => {
        const opened = await openForComputing(column.checkpoint, wanted(column));
        const model = await openModel(opened.checkpoint, { ...modelOptions(spec, hooks), adapter: opened.adapter });
        return { label, opened, model };
      };
      columns.push(await orUnable(label, open));
    }
    const able = columns.filter((column) => 'model' in column);
    if (able.length === 0) throw columns.find((column) => 'failure' in column)!.failure;
    const lengths = fittingLengths(
      able.map(({ model }) => model),
      { promptTokens, newTokens },
    );
    const turns = able.map(({ model, opened }) => ({ model, view: opened.view }));
    const speeds = await measureInTurns(turns, { ...lengths, repeats, seed }, job);
    const models = columns.map((column, i): MeasuredModel => {
      const info = columnInfo(column, spec.columns[i]);
      if ('failure' in column) return { ...info, failure: words(column.failure) };
      const { prefill, decode, timeToFirstToken } = speeds[able.indexOf(column)];
      const { checkpoint, view } = column.opened;
      return {
        ...{ ...info, ...sizeOfView(checkpoint, view) },
        ...{ prefillTokensPerSecond: prefill.median, decodeTokensPerSecond: decode.median },
        timeToFirstTokenSeconds: timeToFirstToken.median,
        ...{ prefillRange: [prefill.low, prefill.high], decodeRange: [decode.low, decode.high] },
      };
    });
    const { device } = able[0].model;
    return {
      result: { models, ...lengths, repeats, seconds: secondsSince(start) },
      run: {
        ...detailsOf(able[0].opened.checkpoint, spec, { settings: { ...lengths, repeats }, seed, device }),
        inputs: inputsOf(able),
      },
    };
  } finally {
    for (const column of columns) if ('model' in column) await column.model.close();
  }
};
