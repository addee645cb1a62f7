/** The tokenizer's files of an ONNX folder, as transformers.js and onnxruntime-genai read them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../../format/json';
import type { Checkpoint } from '../../../checkpoint/types';
import { readTextFile } from '../../../files/text-file';
import { parseTokenizerFiles, readTokenizerTexts, type TokenizerTexts } from '../../../tokenizer/files';
import type { FolderFile } from './facts';

/** Files that some programs read besides; small lists of tokens. */
const OTHERS = ['special_tokens_map.json', 'added_tokens.json'];
const MAX_OTHER_BYTES = 16 * 2 ** 20;

export interface OnnxTokenizer {
  readonly files: readonly FolderFile[];
  /** Whether it formats a conversation. */
  readonly hasChatTemplate: boolean;
}

/** @throws UserError when a file is missing, cannot be read or says nothing that a tokenizer is made of */
export async function onnxTokenizer(checkpoint: Checkpoint): Promise<OnnxTokenizer> {
  const texts = await readTokenizerTexts(checkpoint.home);
  const { settings, chatTemplate } = parseTokenizerFiles(texts);
  const template = chatTemplate?.text;
  return {
    files: [
      { name: 'tokenizer.json', text: texts.tokenizer },
      { name: 'tokenizer_config.json', text: settingsText(texts, settings, template) },
      ...(template === undefined ? [] : [{ name: 'chat_template.jinja', text: template }]),
      ...(await otherFiles(checkpoint)),
    ],
    hasChatTemplate: template !== undefined,
  };
}

/**
 * The settings as they are, unless other programs miss something. transformers.js finds a chat template in the settings
 * alone; onnxruntime-genai refuses a tokenizer without a class.
 */
function settingsText(
  { settings: text, template: separate }: TokenizerTexts,
  settings: JsonObject,
  template: string | undefined,
): string {
  const missing = {
    ...(typeof settings.tokenizer_class !== 'string' && { tokenizer_class: 'PreTrainedTokenizerFast' }),
    ...(separate !== undefined && settings.chat_template !== template && { chat_template: template }),
  };
  if (text !== undefined && Object.keys(missing).length === 0) return text;
  return `${JSON.stringify({ ...settings, ...missing }, null, 2)}\n`;
}

async function otherFiles({ format, folder }: Checkpoint): Promise<FolderFile[]> {
  if (format.startsWith('gguf')) return []; // everything is in the file
  const names = new Set(await readdir(folder));
  const found = OTHERS.filter((name) => names.has(name));
  const reason = 'Files of this kind have some kilobytes; download the file again.';
  return Promise.all(
    found.map(async (name) => ({ name, text: (await readTextFile(join(folder, name), MAX_OTHER_BYTES, reason)).text })),
  );
}
