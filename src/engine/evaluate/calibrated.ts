/** Whether a model was pruned, healed or trained with the same text that it is measured on. Such a perplexity is too good. */
import { mayOverlap, type ReadText } from '../../format/text-share';
import type { OpenedModel } from '../model/opened';
import { calibrationsOf, usedTexts } from '../records/calibrations';
import { recordIn } from '../records/record';

export const CALIBRATION_IS_EVALUATION =
  'blocks or tokens were chosen, or weights fitted, on this text too, so the perplexity is too low; measure on another text';

/**
 * Whether the record inside a checkpoint says that its blocks were scored or its weights fitted with this text, or a file
 * on top of it says so: of a width, of healed weights, or an adapter.
 * @param adapter its folder
 */
export async function wasCalibratedWith(
  { checkpoint, healed, width }: Pick<OpenedModel, 'checkpoint' | 'healed' | 'width'>,
  adapter: string | undefined,
  read: ReadText,
): Promise<boolean> {
  const training = adapter === undefined ? undefined : await recordIn(adapter);
  const texts = [
    ...(await calibrationsOf(checkpoint)),
    ...(healed?.note.texts ?? []),
    ...(width?.note.texts ?? []),
    ...(training ? usedTexts(training) : []),
  ];
  return texts.some(({ sha256, share }) => sha256 !== undefined && mayOverlap({ sha256, share }, read));
}
