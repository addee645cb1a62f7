/**
 * Ollama makes models in its own store: `ollama create NAME -f Modelfile`. Where it is, OLLAMA_MODELS and OLLAMA_HOST say to
 * Ollama itself.
 */
import { ggufFacts, modelfileText, ollamaName } from '../engine/write/gguf/beside';
import { findProgram } from '../engine/verify/consumers/places';
import { quotedHere } from '../format/shell';
import { l10n } from '../l10n';
import type { Place } from './place';
import type { PlacedModel } from './model';

export const ollama: Place = {
  name: 'ollama',
  title: 'Ollama',
  takes: 'gguf',
  hasFolder: false,
  find({ env }) {
    const program = findProgram('ollama', env);
    if (program !== undefined) return Promise.resolve({ at: program });
    return Promise.resolve({
      why: l10n.t('there is no program {0} on the PATH', 'ollama'),
      todo: l10n.t('Install Ollama from {0}; or run the line yourself where Ollama is.', 'ollama.com'),
    });
  },
  async plan(model, at, name) {
    const own = ollamaName(name);
    return {
      name: own,
      model,
      change: { kind: 'ollama', program: at, modelfile: await modelfileOf(model) },
      notes: [],
      use: `ollama run ${own}`,
      copies: `ollama run ${own}`,
    };
  },
  async byHand(model, name) {
    const file = `${name}.Modelfile`;
    return {
      file: { name: file, text: await modelfileOf(model) },
      line: `ollama create ${quotedHere(ollamaName(name))} -f ${quotedHere(file)}`,
    };
  },
};

/** With the file's whole path, so that the Modelfile may be anywhere. */
async function modelfileOf({ files: [{ file }] }: PlacedModel): Promise<string> {
  const lines = modelfileText(await ggufFacts(file), 'Modelfile', file).split('\n');
  return lines.filter((line) => !line.startsWith('#')).join('\n');
}
