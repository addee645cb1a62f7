/** Whether a model was trained to answer, so that its chat template fits what it is asked. */
import { modelName } from '../../engine/records/record';
import { chatKindOf } from '../../engine/tokenizer/instruct';
import type { Coppice } from '../coppice';

export async function answersChats({ library }: Pick<Coppice, 'library'>, path: string): Promise<boolean> {
  const checkpoint = await library.load(path);
  return (await chatKindOf(checkpoint.home, modelName(checkpoint), checkpoint.architecture?.eosTokenIds)).instruct;
}
