/**
 * Chat templates: a Jinja template of the checkpoint formats a conversation like the text that the model was trained
 * on.
 */
import { Template } from '@huggingface/jinja';
import { messageOf, UserError } from '../errors';
import { isObject } from '../../format/json';
import type { TemplateSource, TokenizerFiles } from './files';

export interface ChatMessage {
  /** "system", "user", "assistant", or another role of the template. */
  readonly role: string;
  readonly content: string;
}

/** As in transformers: templates ask whether they are none, and an undefined value is not. */
const NOTHING_GIVEN = { tools: null, documents: null };

export type RenderChat = (messages: readonly ChatMessage[], options: { addGenerationPrompt: boolean }) => string;

/**
 * The checkpoint's chat template as a function; undefined if it has none. The function throws `UserError` with file and
 * field if the template is not Jinja or refuses the conversation.
 */
export function chatTemplate(
  { settings, chatTemplate: source }: Pick<TokenizerFiles, 'settings' | 'chatTemplate'>,
  folder: string,
): RenderChat | undefined {
  if (source === undefined) return undefined;
  const specials = specialTokens(settings);
  let template: Template | undefined;
  return (messages, { addGenerationPrompt }) => {
    template ??= parsed(source, folder);
    try {
      return template.render({ ...specials, ...NOTHING_GIVEN, messages, add_generation_prompt: addGenerationPrompt });
    } catch (error) {
      throw unusable(folder, `${source.place}: ${messageOf(error)}`, error);
    }
  };
}

/** If a template ends too early, the parser reads past its end and throws a TypeError. */
function parsed({ place, text }: TemplateSource, folder: string): Template {
  try {
    return new Template(text);
  } catch (error) {
    const why = error instanceof TypeError ? 'it ends too early' : messageOf(error);
    throw unusable(folder, `${place} is not a complete Jinja template (${why})`, error);
  }
}

function unusable(folder: string, why: string, cause: unknown): UserError {
  return new UserError(
    `Cannot apply the chat template of ${folder}`,
    why,
    'Give the prompt as plain text instead, or download the template again.',
    { cause },
  );
}

/** Special tokens such as `bos_token` and `eos_token` as strings; some checkpoints write them as `{content, …}`. */
function specialTokens(settings: TokenizerFiles['settings']): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings)) {
    const content = isObject(value) ? value.content : value;
    if (key.endsWith('_token') && typeof content === 'string') tokens[key] = content;
  }
  return tokens;
}
