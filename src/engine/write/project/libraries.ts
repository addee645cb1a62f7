/** Which library loads a model in a project, and why another model cannot be loaded there. */
import { UserError } from '../../errors';
import { command, option } from '../../option-token';
import { type NodePackage, npmWords, pipWords, type PythonPackage } from '../programs/versions';
import { KIND_WORDS, type ProjectKind } from './kinds';
import type { ProjectModel } from './model';

/** A library that loads the model. */
export interface Library {
  /** As its own pages write it. */
  readonly name: string;
  /** It puts questions to a model in a conversation. */
  readonly chats: boolean;
  /** The words of the command that installs it. */
  readonly install: readonly string[];
  /** Of libraries for Node: what is installed. */
  readonly node?: readonly NodePackage[];
}

const ofNode = (name: string, ...packages: readonly NodePackage[]): Library => ({
  ...{ name, chats: true, install: ['npm', 'install', ...npmWords(packages)], node: packages },
});

/** @param more packages of any version, which may be there for this machine already */
const ofPython = (
  name: string,
  packages: readonly PythonPackage[],
  { chats = true, more = [] }: { readonly chats?: boolean; readonly more?: readonly string[] } = {},
): Library => ({ name, chats, install: ['pip', 'install', ...pipWords(packages), ...more] });

/** @returns undefined if no library does, as `refuse` says */
export function libraryFor({ loadable }: Pick<ProjectModel, 'loadable'>, kind: ProjectKind): Library | undefined {
  const { format } = loadable;
  if (kind === 'python') {
    if (format === 'gguf') return ofPython('llama-cpp-python', ['llama-cpp-python']);
    if (format === 'safetensors') {
      return loadable.isStock === false ? undefined : ofPython('transformers', ['transformers'], { more: ['torch'] });
    }
    if (loadable.genai === false) return ofPython('onnxruntime', ['onnxruntime', 'tokenizers'], { chats: false });
    return ofPython('onnxruntime-genai', ['onnxruntime-genai']);
  }
  if (format === 'onnx') return ofNode('transformers.js', '@huggingface/transformers');
  return format === 'gguf' && kind === 'node' ? ofNode('node-llama-cpp', 'node-llama-cpp') : undefined;
}

/** The same, for a kind that is settled. @throws UserError that says what to export */
export function requireLibrary(model: Pick<ProjectModel, 'loadable' | 'name'>, kind: ProjectKind): Library {
  const library = libraryFor(model, kind);
  if (library) return library;
  const what = model.loadable.format === 'gguf' ? 'a GGUF file' : 'a checkpoint in safetensors';
  const formats = kind === 'node' ? ['gguf', 'onnx'] : ['onnx'];
  throw new UserError(
    `${model.name} cannot be added to a ${KIND_WORDS[kind]} project`,
    kind === 'python'
      ? 'its blocks differ in width, so only Coppice and the programs that it exports for load it'
      : `it is ${what}, which ${kind === 'node' ? 'no library of Node loads' : 'the libraries for browsers do not load'}`,
    `Export the model for it first: ${formats.map(exporting).join(', or ')}.`,
  );
}

const exporting = (format: string): string =>
  command('export', 'CHECKPOINT', option('format', format), option('out', 'PATH'));
