/**
 * What can lie beside a GGUF file: a Modelfile, from which Ollama makes a model of its list, and the commands of llama.cpp.
 * They follow from the file alone, so they are right for any.
 */
import { basename } from 'node:path';
import { quoted, type Shell } from '../../../format/shell';
import { UserError } from '../../errors';
import { refuse } from '../../formats/damage';
import { type GgufFile, openGguf } from '../../formats/gguf/file';
import { TOKEN_TYPES } from '../../tokenizer/gguf/token-types';

/** What programs have to be told about a file. */
export interface GgufFacts {
  /** Its name, without a path. */
  readonly name: string;
  /** Longest text, in tokens. */
  readonly context: number;
  /** It has a chat template, which llama.cpp and Ollama read themselves. */
  readonly chats: boolean;
  /** Texts of the tokens that end an answer. */
  readonly stops: readonly string[];
}

/** Ollama reserves the memory for a text of this length at once. Models advertise up to millions. */
const MOST_CONTEXT = 8192;
const TOKENS = 'tokenizer.ggml.tokens';
const TYPES = 'tokenizer.ggml.token_type';
const PROMPT = 'Once upon a time';

/** @throws UserError when the file cannot be read */
export async function ggufFacts(file: string): Promise<GgufFacts> {
  const gguf = await openGguf(file, refuse, (key) => key === TOKENS || key === TYPES);
  const architecture = gguf.metadata.get('general.architecture')?.value;
  const context = typeof architecture === 'string' && gguf.metadata.get(`${architecture}.context_length`)?.value;
  return {
    name: basename(file),
    context: typeof context === 'number' ? context : MOST_CONTEXT,
    chats: gguf.metadata.has('tokenizer.chat_template'),
    stops: stopsOf(gguf),
  };
}

function stopsOf({ metadata }: GgufFile): string[] {
  const list = (key: string): readonly unknown[] => {
    const value = metadata.get(key)?.value;
    return typeof value === 'object' ? value.first : [];
  };
  const [tokens, types] = [list(TOKENS), list(TYPES)];
  const texts = ['eos', 'eot', 'eom'].flatMap((name) => {
    const id = metadata.get(`tokenizer.ggml.${name}_token_id`)?.value;
    if (typeof id !== 'number' || types[id] !== TOKEN_TYPES.control) return [];
    const text = tokens[id];
    return typeof text === 'string' ? [text] : [];
  });
  return [...new Set(texts)];
}

/**
 * The text of a Modelfile in the folder of the file. Ollama knows the usual chat templates by their text; one of its own is
 * not made from them, because the two languages of templates differ.
 * @param modelfile name of the Modelfile, for the command that reads it
 * @param from the file as the Modelfile names it
 */
export function modelfileText(
  { name, context, chats, stops }: GgufFacts,
  modelfile = `${name}.Modelfile`,
  from = `./${name}`,
): string {
  requireLine(from);
  const model = ollamaName(name);
  return [
    `# ollama create ${model} -f ${quoted(modelfile, 'posix')}`,
    `# ollama run ${model}`,
    `FROM ${from}`,
    ...(chats ? [] : ['TEMPLATE "{{ .Prompt }}"']),
    `PARAMETER num_ctx ${Math.min(context, MOST_CONTEXT)}`,
    ...stops.map((text) => `PARAMETER stop ${JSON.stringify(text)}`),
    '',
  ].join('\n');
}

/**
 * Commands of llama.cpp: for a conversation, or to continue a text where the model has no chat template; and as a server.
 * They are for the folder of the file.
 */
export function llamaCppCommands({ name, context, chats }: GgufFacts, shell: Shell = 'posix'): string[] {
  requireLine(name);
  const file = quoted(name, shell);
  const size = Math.min(context, MOST_CONTEXT);
  return [
    chats
      ? `llama-cli -m ${file} -c ${size}`
      : `llama-completion -m ${file} -c ${size} -no-cnv -n 64 -p ${quoted(PROMPT, shell)}`,
    `llama-server -m ${file} -c ${size}`,
  ];
}

/** Ollama's names are of small letters, digits and a few signs. */
export function ollamaName(file: string): string {
  const name = file
    .replace(/\.gguf$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '');
  return name === '' ? 'model' : name;
}

function requireLine(name: string): void {
  if (!/[\r\n]/.test(name)) return;
  throw new UserError('A Modelfile cannot name the GGUF file', 'its name has a line break', 'Rename the file.');
}
