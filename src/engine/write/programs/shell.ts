/** Commands that load a model and continue a text. */
import { quoted, type Shell } from '../../../format/shell';

const PROMPT = 'Once upon a time';

export const llamaCpp = (file: string, shell: Shell): string =>
  `llama-completion -m ${quoted(file, shell)} -p ${quoted(PROMPT, shell)} -n 50 --temp 0 -no-cnv
llama-cli -m ${quoted(file, shell)}
`;

/** @param name of the model in Ollama's list */
export const ollama = (file: string, name: string, shell: Shell): string =>
  `echo ${quoted(`FROM ${file}`, shell)} > Modelfile
ollama create ${quoted(name, shell)} -f Modelfile
ollama run ${quoted(name, shell)} ${quoted(PROMPT, shell)}
`;

export const coppice = (folder: string, shell: Shell): string =>
  `coppice generate ${quoted(folder, shell)} --prompt ${quoted(PROMPT, shell)} --max-new-tokens 50
`;
