/** The module `ask.mjs` of Node and of browsers: what all kinds of it have, and its types. */
import { imported, indented, jsLiteral } from '../expressions';
import { transformersStreamer } from '../javascript';
import { type Example, type ExampleFile, MOST_TOKENS, type ModelPlace, PLACE_VARIABLE, whatItDoes } from './example';

/** An expression of the model's place, and the imports of Node that it needs besides `fileURLToPath`. */
export function placeInNode({ path, isRelative }: ModelPlace): { readonly imports: string; readonly path: string } {
  const literal = jsLiteral(path);
  const named = `process.env.${PLACE_VARIABLE} ?? `;
  if (!isRelative) return { imports: '', path: named + literal };
  return {
    imports: `${imported('{ dirname, join }', 'node:path')}\n`,
    path: `${named}join(dirname(fileURLToPath(import.meta.url)), ${literal})`,
  };
}

export const PLACE_COMMENT = `/** Where the model is. The variable ${PLACE_VARIABLE} names another place. */`;

/** The function. @param body its lines, which return the answer; they know `question`, `maxTokens` and `onText` */
export const askFunction = (example: Pick<Example, 'chats'>, body: string): string => `/**
 * ${whatItDoes(example)}
 * @param {string} question
 * @param {{ maxTokens?: number, onText?: (text: string) => void }} [options] \`onText\` gets each piece as it is written
 * @returns {Promise<string>}
 */
export async function ask(question, { maxTokens = ${MOST_TOKENS}, onText } = {}) {
${indented(body, 2)}}
`;

/** The body of the function for transformers.js. @param generator an expression */
export const transformersBody = (
  { chats }: Pick<Example, 'chats'>,
  generator: string,
): string => `const generator = ${generator};
const streamer = onText && ${transformersStreamer('onText')};
const options = { max_new_tokens: maxTokens, do_sample: false, streamer };
${
  chats
    ? `const messages = [{ role: 'user', content: question }];
const [{ generated_text: conversation }] = await generator(messages, options);
return conversation.at(-1).content;`
    : `const [{ generated_text: text }] = await generator(question, { ...options, return_full_text: false });
return text;`
}
`;

/** Types for projects in TypeScript. @param more declarations */
export const moduleTypes = (example: Pick<Example, 'chats'>, more = ''): ExampleFile => ({
  name: 'ask.d.mts',
  text: `/** ${whatItDoes(example)} \`onText\` gets each piece as it is written. */
export function ask(
  question: string,
  options?: { maxTokens?: number; onText?: (text: string) => void },
): Promise<string>;
${more}`,
});
