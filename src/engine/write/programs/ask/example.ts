/** The example for a project: a function that asks the model one question, a program around it, and a test of it. */
import type { Loadable } from '../../loading-code';

/** A file of the example. */
export interface ExampleFile {
  /** Within the folder of the example. */
  readonly name: string;
  readonly text: string;
}

/** Where the model is, as the example names it. */
export interface ModelPlace {
  /** With "/", from the folder of the example; or absolute. */
  readonly path: string;
  readonly isRelative: boolean;
}

export interface Example<Format extends Loadable['format'] = Loadable['format']> {
  readonly model: Extract<Loadable, { readonly format: Format }>;
  /** Of the model, on one line. */
  readonly name: string;
  /** The library that runs it, as its own pages write it. */
  readonly library: string;
  readonly place: ModelPlace;
  /** The model has a chat template: questions are put to it in a conversation, else it continues them. */
  readonly chats: boolean;
  /** The command that installs the library, for comments; in the project's folder. */
  readonly install: string;
}

/** The variable that names another place of the model. */
export const PLACE_VARIABLE = 'ASK_MODEL';

/** What the test asks, and the program without arguments. A model that does not chat gets the start of a text. */
export const questionFor = ({ chats }: Pick<Example, 'chats'>): string =>
  chats ? 'What is the capital of France?' : 'Once upon a time';

/** What the function does, for its documentation. */
export const whatItDoes = ({ chats }: Pick<Example, 'chats'>): string =>
  chats
    ? 'The answer of the model to a question. It does not know earlier questions.'
    : 'What the model writes after a text, which it continues; it gets no chat template.';

/** Tokens of an answer, unless the caller says otherwise. */
export const MOST_TOKENS = 128;

/** Enough to see that it answers. */
export const TEST_TOKENS = 8;
