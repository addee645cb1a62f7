/** Prompts to choose from: questions for a chat, beginnings for texts that go on, and the user's own for both. Pure. */
import type { PanelState } from '../../../src/protocol/panel';
import type { ViewState } from './view-state';

type Lists = Pick<PanelState, 'prompts' | 'ownPrompts' | 'questions'>;

/** The user's own first. */
export const examples = ({ prompts, questions }: Lists, chat: boolean): readonly string[] =>
  chat ? questions : prompts;

/** The prompt, or the first example of this kind where it is an example of the other kind. */
export function otherExample(lists: Lists, prompt: string, chat: boolean): string {
  const bundled = (of: boolean): string[] => examples(lists, of).filter((each) => !lists.ownPrompts.includes(each));
  return bundled(!chat).includes(prompt) ? (bundled(chat)[0] ?? prompt) : prompt;
}

/** What the form begins with: a chat for a model that answers. */
export function firstAsked(state: PanelState, { settings }: ViewState): Pick<ViewState, 'prompt' | 'settings'> {
  const chat = state.chat && state.instruct;
  const first = examples(state, chat);
  const question = chat ? first.find((each) => !state.ownPrompts.includes(each)) : undefined;
  return { prompt: question ?? first[0] ?? '', settings: { ...settings, chat } };
}
