/** The retraining that Enter would start: its preset on the data that were trained on last. */
import { usualPreset } from '../../jobs/retrain-amounts';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from '../coppice';
import { markedTime } from '../../estimates/words';
import { recall } from './remembered';
import { forecastTraining, trainingPresets } from './training-estimate';
import { BUNDLED, trainingFiles } from './training-files';

export function usualTraining(coppice: Coppice, chosen: Chosen, removed: readonly number[]): string {
  const question = {
    data: trainingFiles(coppice, recall(coppice, 'retrain', 'data', coppice.config.application ?? BUNDLED)),
    removed,
    ...(removed.length > 0 && { teacher: { path: chosen.path, architecture: chosen.architecture } }),
  };
  const { presets, secondsOf } = trainingPresets(coppice, chosen, question);
  const last = recall<string>(coppice, 'retrain', 'preset', '');
  // Where no time is enough, what it would take is what there is to say.
  const { steps, batch, length } = usualPreset(presets, secondsOf, last) ?? presets.at(-1)!;
  const asked = { ...question, steps, batch, length };
  return markedTime(forecastTraining(coppice, chosen, asked).time);
}
