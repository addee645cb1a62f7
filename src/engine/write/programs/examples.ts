/** Whole programs for an ONNX folder, which lie in its folder "examples": the snippets, with arguments. */
import type { OnnxKind } from '../onnx/kinds';
import { nodeOnnxruntime, nodeTransformers } from './javascript';
import { type Frame, imported, type Expressions } from './expressions';
import { pythonGenai, pythonOnnxruntime } from './python';

const usage = (sign: string, what: string, run: string, install: string): string =>
  `${sign} ${what}\n${sign} usage: ${run} "Once upon a time" 50\n${sign} Once before, in this folder: ${install}\n`;

const NODE_PLACE: Expressions = {
  path: "fileURLToPath(new URL('..', import.meta.url))",
  prompt: 'prompt',
  count: 'Number(count)',
};

const nodeFrame = (what: string, file: string): Frame => ({
  top: usage('//', what, `node ${file}`, 'npm install'),
  imports: `${imported('{ fileURLToPath }', 'node:url')}\n`,
  head: "\nconst [prompt = 'Once upon a time', count = '50'] = process.argv.slice(2);\n",
});

export const nodeTransformersExample = (kind: OnnxKind, file: string): string =>
  nodeTransformers(kind, NODE_PLACE, nodeFrame('Continues a text with transformers.js.', file));

export const nodeOnnxruntimeExample = (kind: OnnxKind, file: string): string =>
  nodeOnnxruntime(kind, NODE_PLACE, nodeFrame('Continues a text with nothing but onnxruntime and a tokenizer.', file));

const PYTHON_PLACE: Expressions = { path: 'pathlib.Path(__file__).parent.parent', prompt: 'prompt', count: 'count' };

const PYTHON_HEAD = `
prompt = sys.argv[1] if len(sys.argv) > 1 else "Once upon a time"
count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
`;

export const pythonGenaiExample = (file: string): string =>
  pythonGenai(
    { ...PYTHON_PLACE, path: `str(${PYTHON_PLACE.path})` },
    {
      top: usage('#', 'Continues a text with onnxruntime-genai.', `python ${file}`, 'pip install onnxruntime-genai'),
      imports: 'import pathlib\nimport sys\n\n',
      head: PYTHON_HEAD,
    },
  );

export const pythonOnnxruntimeExample = (kind: OnnxKind, file: string): string =>
  pythonOnnxruntime(kind, PYTHON_PLACE, {
    top: usage(
      '#',
      'Continues a text with nothing but onnxruntime and a tokenizer.',
      `python ${file}`,
      'pip install onnxruntime tokenizers',
    ),
    imports: 'import sys\n',
    head: PYTHON_HEAD,
  });
