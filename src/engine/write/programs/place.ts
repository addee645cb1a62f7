/** What the programs that load a model are made from, in the language of the program. */

export type OnnxKind = 'fp32' | 'fp16' | 'q8' | 'q4';

/** Names of the graphs of an ONNX folder, as transformers.js asks for them by its `dtype`. */
export const ONNX_FILES: Readonly<Record<OnnxKind, string>> = {
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
  q8: 'onnx/model_quantized.onnx',
  q4: 'onnx/model_q4.onnx',
};

/** Expressions of a program. */
export interface Place {
  /** The folder or file. */
  readonly path: string;
  /** The text to continue. */
  readonly prompt: string;
  /** Most tokens that are written. */
  readonly count: string;
}

/** An expression of JavaScript. Its quotes are those of JSON; a literal of Python is the same. */
export const literal = (text: string): string => JSON.stringify(text);

/** Values of a snippet that is not a whole program. */
export const snippetPlace = (path: string): Place => ({
  path: literal(path),
  prompt: literal('Once upon a time'),
  count: '50',
});

/** An import of JavaScript. */
export const imported = (names: string, from: string): string => `import ${names} from '${from}';`;
