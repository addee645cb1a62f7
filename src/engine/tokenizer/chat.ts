/** Chat templates: a Jinja template of the checkpoint turns a conversation into the text that the model was trained on. */
import { Template } from '@huggingface/jinja';
import { UserError } from '../errors';
import { isObject, type TokenizerFiles } from './files';

export interface ChatMessage {
  /** "system", "user", "assistant", or what else the template knows. */
  readonly role: string;
  readonly content: string;
}

export type RenderChat = (messages: readonly ChatMessage[], options: { addGenerationPrompt: boolean }) => string;

/** The checkpoint's chat template as a function; undefined when it has none. A template's own file wins over the settings. */
export function chatTemplate({ settings, chatTemplate }: TokenizerFiles, folder: string): RenderChat | undefined {
  const source = chatTemplate ?? templateOf(settings.chat_template);
  if (source === undefined) return undefined;
  const specials = specialTokens(settings);
  let template: Template | undefined;
  return (messages, { addGenerationPrompt }) => {
    try {
      template ??= new Template(source);
      return template.render({ ...specials, messages, add_generation_prompt: addGenerationPrompt });
    } catch (error) {
      throw new UserError(
        `Cannot apply the chat template of ${folder}`,
        error instanceof Error ? error.message : String(error),
        'Give the prompt as plain text instead.',
        { cause: error },
      );
    }
  };
}

/** One template, or the one named "default" of a list `[{name, template}]`. */
function templateOf(field: unknown): string | undefined {
  if (typeof field === 'string') return field;
  if (!Array.isArray(field)) return undefined;
  const entry: unknown = field.find((candidate) => isObject(candidate) && candidate.name === 'default');
  return isObject(entry) && typeof entry.template === 'string' ? entry.template : undefined;
}

/** `bos_token`, `eos_token` and the like as strings; some checkpoints write them as `{content, …}`. */
function specialTokens(settings: TokenizerFiles['settings']): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings)) {
    const content = isObject(value) ? value.content : value;
    if (key.endsWith('_token') && typeof content === 'string') tokens[key] = content;
  }
  return tokens;
}
