/**
 * Code that loads a model and continues a text, for every program that runs its format. Model cards, the examples of an
 * ONNX folder and "Copy Code to Load It" have it from here. It reads no file, so the extension host may load it.
 */
import type { Shell } from '../../format/shell';
import type { OnnxKind, OnnxTarget } from './onnx/kinds';
import { browserTransformers, nodeLlamaCpp, nodeOnnxruntime, nodeTransformers } from './programs/javascript';
import { jsLiteral, pythonLiteral, snippetExpressions } from './programs/expressions';
import { pythonGenai, pythonLlamaCpp, pythonOnnxruntime, pythonTransformers } from './programs/python';
import { coppice, llamaCpp, ollama } from './programs/shell';

/** A model that was written, and its place as the code is to name it. */
export type Loadable =
  | {
      readonly format: 'safetensors';
      /** The folder. */
      readonly path: string;
      /** Whether transformers has a class for it; true when undefined. */
      readonly isStock?: boolean;
    }
  | {
      readonly format: 'gguf';
      /** The file; of several the first. */
      readonly path: string;
    }
  | {
      readonly format: 'onnx';
      /** The folder that has `onnx`. */
      readonly path: string;
      readonly kind: OnnxKind;
      /** What it was written for; the CPU when undefined. */
      readonly target?: OnnxTarget;
      /** Whether onnxruntime-genai runs it (genai_config.json is there); true when undefined. */
      readonly genai?: boolean;
    };

/** Where code runs. */
export type Surroundings = 'node' | 'browser' | 'python' | 'shell';

export interface LoadingCode {
  readonly runs: Surroundings;
  /** The library, as its own pages write it. */
  readonly library: string;
  /** Names of languages as in Markdown and in VS Code. */
  readonly language: 'javascript' | 'python' | 'shellscript';
  /** The command that installs the library; none for programs that packages do not have. */
  readonly install?: string;
  /** Ends with a line break. */
  readonly code: string;
}

/**
 * The code for each program, the most usual one first.
 * @param shell that the commands are for
 */
export function loadingCode(model: Loadable, shell: Shell = 'posix'): LoadingCode[] {
  const { path } = model;
  const [js, py] = [jsLiteral, pythonLiteral].map((literal) => snippetExpressions(path, literal));
  const name = nameOf(path);
  const terminal = { runs: 'shell', language: 'shellscript' } as const;
  switch (model.format) {
    case 'safetensors': {
      const own: LoadingCode = { ...terminal, library: 'Coppice', code: coppice(path, shell) };
      if (model.isStock === false) return [own];
      return [python('transformers', 'transformers torch', pythonTransformers(py)), own];
    }
    case 'gguf':
      return [
        { ...terminal, library: 'llama.cpp', code: llamaCpp(path, shell) },
        { ...terminal, library: 'Ollama', code: ollama(path, name, shell) },
        node('node-llama-cpp', 'node-llama-cpp', nodeLlamaCpp(js)),
        python('llama-cpp-python', 'llama-cpp-python', pythonLlamaCpp(py)),
      ];
    case 'onnx':
      return [
        node('transformers.js', TRANSFORMERS_JS, nodeTransformers(model.kind, js)),
        node('onnxruntime-node', 'onnxruntime-node @huggingface/tokenizers', nodeOnnxruntime(model.kind, js)),
        {
          ...node('transformers.js', TRANSFORMERS_JS, browserTransformers(model.kind, model.target ?? 'cpu', name)),
          runs: 'browser',
        },
        ...(model.genai === false ? [] : [python('onnxruntime-genai', 'onnxruntime-genai', pythonGenai(py))]),
        python('onnxruntime', 'onnxruntime tokenizers', pythonOnnxruntime(model.kind, py)),
      ];
  }
}

const TRANSFORMERS_JS = '@huggingface/transformers';

const node = (library: string, packages: string, code: string): LoadingCode => ({
  runs: 'node',
  library,
  language: 'javascript',
  install: `npm install ${packages}`,
  code,
});

const python = (library: string, packages: string, code: string): LoadingCode => ({
  runs: 'python',
  library,
  language: 'python',
  install: `pip install ${packages}`,
  code,
});

/** The name of a folder or of a GGUF file, as Ollama and addresses may have it. */
function nameOf(path: string): string {
  const last = path.split(/[\\/]/).filter(Boolean).at(-1) ?? '';
  const name = last.replace(/\.gguf$/i, '').replace(/[^\w.-]+/g, '-');
  return /\w/.test(name) ? name.replace(/^[.-]+/, '') : 'model';
}
