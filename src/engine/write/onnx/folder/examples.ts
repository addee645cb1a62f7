/** The folder "examples": programs that run the first of the models, each of which takes a text. */
import { browserPage, browserServer } from '../../programs/browser';
import {
  nodeOnnxruntimeExample,
  nodeTransformersExample,
  pythonGenaiExample,
  pythonOnnxruntimeExample,
} from '../../programs/examples';
import { packageJson, pinned } from '../../programs/versions';
import type { OnnxModelFacts } from '../write-onnx';
import type { FolderFile } from './facts';

const FOLDER = 'examples';

const PACKAGES = pinned('@huggingface/tokenizers', '@huggingface/transformers', 'onnxruntime-node');

/** @param genai whether onnxruntime-genai runs the model */
export function exampleFiles({ target, models: [{ kind }] }: OnnxModelFacts, genai: boolean): FolderFile[] {
  const files: (readonly [name: string, text: (name: string) => string])[] = [
    ['package.json', () => packageJson(PACKAGES)],
    ['node-transformers.mjs', (name) => nodeTransformersExample(kind, name)],
    ['node-onnxruntime.mjs', (name) => nodeOnnxruntimeExample(kind, name)],
    ['browser/index.html', () => browserPage(kind, target)],
    ['browser/serve.mjs', () => browserServer()],
    ...(genai ? [['python-genai.py', (name: string) => pythonGenaiExample(name)] as const] : []),
    ['python-onnxruntime.py', (name) => pythonOnnxruntimeExample(kind, name)],
  ];
  return files.map(([name, text]) => ({ name: `${FOLDER}/${name}`, text: text(name) }));
}
