/** Fresh folders as projects of a kind, and small models that chat. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './temporary';

/** A new folder, named with a blank as folders can be, with these files; their content is a text, or JSON. */
export function projectWith(files: Readonly<Record<string, string | object>>): string {
  const folder = join(temporaryFolder(), 'my project');
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

/** Puts a question before the model as a text of its own. */
const TEMPLATE =
  '{{ bos_token }}{% for message in messages %}{{ message.content }}{% endfor %}{% if add_generation_prompt %} One day,{% endif %}';

/** A copy of a checkpoint that has a chat template. */
export function chatting(checkpoint: string): string {
  const folder = join(temporaryFolder(), 'chatting');
  cpSync(checkpoint, folder, { recursive: true });
  const file = join(folder, 'tokenizer_config.json');
  const settings = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...settings, chat_template: TEMPLATE }));
  return folder;
}
