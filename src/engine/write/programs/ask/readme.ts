/** The README.md in the folder of the example. */
import { codeSpan, inline } from '../../../markdown';
import { type Example, PLACE_VARIABLE } from './example';

/** What the README tells besides. */
export interface ReadmeFacts {
  /** "Node", "browser", "Python". */
  readonly kind: string;
  /** The file with the function, and the one with the model's place. */
  readonly program: string;
  readonly placed: string;
  /** Commands, for the project's folder, with what each does. */
  readonly commands: readonly string[];
  /** Lines that import the function in the project, and their language. */
  readonly use: string;
  readonly language: string;
  /** The model was copied. */
  readonly isCopy: boolean;
}

export const exampleReadme = (example: Example, facts: ReadmeFacts): string => `# Ask ${inline(example.name)}

${inline(intro(example, facts))} ${codeSpan(facts.program)} has the function ${codeSpan('ask')}, and the test asks it one question.

In the folder of the project:

\`\`\`sh
${facts.commands.join('\n')}
\`\`\`

In your program:

\`\`\`${facts.language}
${facts.use}
\`\`\`

- The model is ${codeSpan(example.place.path)}${example.place.isRelative ? ', seen from here' : ''}. ${codeSpan('MODEL')} in ${codeSpan(facts.placed)} says so, and the variable ${codeSpan(PLACE_VARIABLE)} names another place.
- ${example.chats ? CHATS : CONTINUES}
- The most likely token is taken each time, so an answer can be repeated.
- Nothing else in the project was changed. To undo it, delete this folder${facts.isCopy ? ', with its copy of the model' : ''}, and uninstall the library.
`;

const CHATS = 'The model has a chat template: each question is a conversation of its own.';
const CONTINUES =
  'The model has no chat template, or the library knows none: give it the start of a text, which it continues.';

const intro = ({ library }: Example, { kind }: ReadmeFacts): string =>
  `An example for ${kind === 'browser' ? 'a browser' : kind}, with ${library}, which Coppice wrote.`;
