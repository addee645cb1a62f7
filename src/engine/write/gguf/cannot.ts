/** Models that llama.cpp would compute otherwise. */
import { UserError } from '../../errors';

export const INSTEAD = 'Write safetensors or ONNX in place of it.';

/** @param why a clause: "its blocks differ" */
export function cannotWrite(why: string, action = INSTEAD): UserError {
  return new UserError('The model cannot be written as GGUF', why, action);
}
