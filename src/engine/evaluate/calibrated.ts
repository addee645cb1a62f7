/** Whether a model was pruned or healed with the same text that it is measured on. Such a perplexity is too good. */
import type { OpenedModel } from '../model/opened';
import { calibrationsOf } from '../records/calibrations';

export const CALIBRATION_IS_EVALUATION =
  'blocks were scored or weights healed on this text too, so the perplexity is too low; measure on another text';

/**
 * Whether the record inside a checkpoint says that its blocks were scored or its weights healed with the text of this
 * hash, or a file of a width or of healed weights on top of it says so.
 */
export async function wasCalibratedWith(
  { checkpoint, healed, width }: Pick<OpenedModel, 'checkpoint' | 'healed' | 'width'>,
  sha256: string,
): Promise<boolean> {
  const texts = [...(await calibrationsOf(checkpoint)), ...(healed?.note.texts ?? []), ...(width?.note.texts ?? [])];
  return texts.some((text) => text.sha256 === sha256);
}
