/**
 * The prompt template of `inference_model.json`: texts with "{Content}" for each role. It is taken from the chat template by
 * comparing what it makes of short conversations. A template that does more than put texts around each message has none.
 */
import { chatTemplate, type ChatMessage } from '../engine/tokenizer/chat';
import { readTemplate } from '../engine/tokenizer/files';
import { UserError } from '../engine/errors';

const CONTENT = '{Content}';

export interface PromptTemplate {
  readonly system?: string;
  readonly user: string;
  readonly assistant: string;
  /** A question alone, up to where the answer begins. */
  readonly prompt: string;
}

/** Null where there is none. */
export interface FoundTemplate {
  readonly template: PromptTemplate | null;
  /** What was left out, and why. */
  readonly note?: string;
}

/** Of a folder with tokenizer files. */
export async function promptTemplateIn(folder: string): Promise<FoundTemplate> {
  const { text, settings } = await readTemplate(folder);
  if (text === undefined) {
    return {
      template: null,
      note: 'The model has no chat template: it continues texts, and does not answer questions.',
    };
  }
  const render = chatTemplate({ settings, chatTemplate: { place: 'chat_template', text } }, folder)!;
  const bos = settings.bos_token;
  const texts = (roles: readonly string[], asks = false): string | undefined => {
    const messages = roles.map((role): ChatMessage => ({ role, content: CONTENT }));
    try {
      const made = render(messages, { addGenerationPrompt: asks });
      // The tokenizer puts that token there itself.
      return typeof bos === 'string' && bos !== '' && made.startsWith(bos) ? made.slice(bos.length) : made;
    } catch (error) {
      if (error instanceof UserError) return undefined; // it refuses such a conversation
      throw error;
    }
  };
  return templateFrom(texts);
}

/** @param texts of a conversation of these roles, with the start of an answer behind it; undefined where it is refused */
export function templateFrom(texts: (roles: readonly string[], asks?: boolean) => string | undefined): FoundTemplate {
  const [one, asked, two, three] = [
    texts(['user']),
    texts(['user'], true),
    texts(['user', 'assistant']),
    texts(['user', 'assistant', 'user']),
  ];
  const assistant = rest(two, one);
  const user = rest(three, two);
  const start = rest(asked, one);
  const isPlain =
    [user, assistant].every((text) => text?.split(CONTENT).length === 2) && start !== undefined && one!.endsWith(user!);
  if (!isPlain) {
    return {
      template: null,
      note:
        'The prompt template was left out: the chat template does more than put texts around each message. ' +
        'Programs that use the chat template itself are not affected.',
    };
  }
  const withSystem = texts(['system', 'user']);
  const system = withSystem?.endsWith(user!) ? withSystem.slice(0, withSystem.length - user!.length) : undefined;
  const isSystem = system?.split(CONTENT).length === 2;
  const template = { ...(isSystem && { system }), user: user!, assistant: assistant!, prompt: asked! };
  return isSystem
    ? { template }
    : { template, note: 'The chat template has no text of its own for the role “system”.' };
}

/** What follows `before` in `text`. */
const rest = (text: string | undefined, before: string | undefined): string | undefined =>
  text !== undefined && before !== undefined && text.startsWith(before) ? text.slice(before.length) : undefined;
