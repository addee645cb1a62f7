/** Measures the speeds of several models in turns. */
import { sizeOfView, speedFigures } from '../../engine/evaluate/measure';
import { fittingLengths, measureInTurns } from '../../engine/evaluate/measure-turns';
import type { Model } from '../../engine/model/model';
import type { OpenedModel } from '../../engine/model/opened';
import { detailsOf } from '../../engine/records/details';
import type { MeasuredModel, SpeedsResult } from '../results/bench';
import type { OptionsFor } from '../kinds';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import { columnInfo, inputsOf, openColumn, orUnable, requireAble, type Unable, withPrecision, words } from './columns';

interface Opening {
  readonly label: string;
  readonly opened: OpenedModel;
  readonly model: Model;
}

export async function runSpeeds(options: OptionsFor<'speeds'>, context: JobContext): Promise<RunEnd<SpeedsResult>> {
  const start = performance.now();
  const { promptTokens, newTokens, repeats, seed } = options;
  const columns: (Opening | Unable)[] = [];
  try {
    const compute = await withPrecision(options, options.columns);
    const { precision } = compute;
    for (const column of options.columns) {
      columns.push(await orUnable(column.label, () => openColumn(column, compute, context)));
    }
    const able = requireAble(columns);
    const lengths = fittingLengths(
      able.map(({ model }) => model),
      { promptTokens, newTokens },
    );
    const turns = able.map(({ model, opened }) => ({ model, view: opened.view }));
    const measured = await measureInTurns(turns, { ...lengths, repeats, seed }, context.job);
    const models = columns.map((column, i): MeasuredModel => {
      const info = columnInfo(column, options.columns[i]);
      if ('failure' in column) return { ...info, failure: words(column.failure) };
      const { checkpoint, view } = column.opened;
      return { ...info, ...sizeOfView(checkpoint, view), ...speedFigures(measured[able.indexOf(column)]) };
    });
    const { opened, model } = able[0];
    const details = detailsOf(opened.checkpoint, options, {
      settings: { ...lengths, repeats },
      seed,
      device: model.device,
      precision,
      checkpoints: able.slice(1).map((each) => each.opened.checkpoint),
    });
    return {
      result: { models, ...lengths, repeats, precision, seconds: secondsSince(start) },
      run: { ...details, inputs: inputsOf(able) },
    };
  } finally {
    for (const column of columns) if ('model' in column) await column.model.close();
  }
}
