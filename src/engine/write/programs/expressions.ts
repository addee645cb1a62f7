/** What the programs that load a model are made from, in the language of the program. */
import { ONNX_FILES, ONNX_FOLDER, type OnnxKind } from '../onnx/kinds';

/** The file of a kind within its folder. */
export const onnxFile = (kind: OnnxKind): string => `${ONNX_FOLDER}/${ONNX_FILES[kind]}`;

/** Expressions of a program. */
export interface Expressions {
  /** The folder or file. */
  readonly path: string;
  /** The text to continue. */
  readonly prompt: string;
  /** Most tokens that are written. */
  readonly count: string;
}

/** Writes a text as an expression. */
export type Literal = (text: string) => string;

/** In single quotes, unless something in the text has a meaning in them. */
export const jsLiteral: Literal = (text) => (/^[\w ./:-]*$/.test(text) ? `'${text}'` : JSON.stringify(text));

/** JSON's escapes mean the same in Python. */
export const pythonLiteral: Literal = (text) => JSON.stringify(text);

/** Values of a snippet that is not a whole program. */
export const snippetExpressions = (path: string, literal: Literal): Expressions => ({
  path: literal(path),
  prompt: literal('Once upon a time'),
  count: '50',
});

/** An import of JavaScript. */
export const imported = (names: string, from: string): string => `import ${names} from '${from}';`;

/** Lines of a whole program that a snippet does not have: it reads its arguments. */
export interface Frame {
  /** Before everything else. */
  readonly top: string;
  readonly imports: string;
  /** After the imports. */
  readonly head: string;
}

export const NO_FRAME: Frame = { top: '', imports: '', head: '' };

/** Lines further to the right, but empty ones. @param lines end with a line break */
export const indented = (lines: string, by: number): string => lines.replace(/^(?=.)/gm, ' '.repeat(by));
