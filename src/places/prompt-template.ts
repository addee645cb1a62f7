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
  const texts: Texts = (roles, asks = false) => {
    const messages = roles.map((role): ChatMessage => ({ role, content: CONTENT }));
    try {
      return render(messages, { addGenerationPrompt: asks });
    } catch (error) {
      if (error instanceof UserError) return undefined; // it refuses such a conversation
      throw error;
    }
  };
  const { bos_token: bos } = settings;
  return templateFrom(texts, typeof bos === 'string' ? bos : '');
}

/** The text of a conversation of these roles, with the start of an answer behind it; undefined where it is refused. */
type Texts = (roles: readonly string[], asks?: boolean) => string | undefined;

/** @param bos the token that the tokenizer puts before a text itself */
export function templateFrom(texts: Texts, bos: string): FoundTemplate {
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
  // Templates of some families begin each message with that token: then it is no sign of a beginning.
  const own = (text: string): string =>
    bos !== '' && text.startsWith(bos) && !user!.startsWith(bos) ? text.slice(bos.length) : text;
  const template = {
    ...(isSystem && { system: own(system) }),
    ...{ user: user!, assistant: assistant!, prompt: own(asked!) },
  };
  return isSystem
    ? { template }
    : { template, note: 'The chat template has no text of its own for the role “system”.' };
}

/** What follows `before` in `text`. */
const rest = (text: string | undefined, before: string | undefined): string | undefined =>
  text !== undefined && before !== undefined && text.startsWith(before) ? text.slice(before.length) : undefined;
