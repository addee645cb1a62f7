/** Code that runs a written pair from anywhere: that of its README, with the path of its folder. */
import { join } from 'node:path';
import { quoted, type Shell } from '../../../format/shell';
import type { Runtime } from '../../draft/runtimes';
import type { LoadingCode } from '../loading-code';
import { pythonLiteral } from './expressions';
import { type Drafted, genaiSpeculate, llamaServer, pythonSpeculate } from './speculate';

const PYTHON = { runs: 'python', language: 'python' } as const;
const SHELL = { runs: 'shell', language: 'shellscript' } as const;
const PROMPT = 'Once upon a time';

/** @param folder of the pair @param shell that commands are for */
export function pairCode(program: Runtime, folder: string, drafted: Drafted, shell: Shell = 'posix'): LoadingCode {
  switch (program) {
    case 'genai': {
      const code = genaiSpeculate(drafted, pythonLiteral(folder));
      return { ...PYTHON, library: 'onnxruntime-genai', install: 'pip install onnxruntime-genai', code };
    }
    case 'transformers': {
      const place = {
        ...{ head: 'import pathlib\n', folder: `pathlib.Path(${pythonLiteral(folder)})` },
        prompt: pythonLiteral(PROMPT),
      };
      const code = pythonSpeculate(drafted, place);
      return { ...PYTHON, library: 'transformers', install: 'pip install transformers torch', code };
    }
    case 'llama.cpp': {
      const code = llamaServer(drafted, shell, [join(folder, 'target.gguf'), join(folder, 'draft.gguf')]);
      return { ...SHELL, library: 'llama.cpp', code };
    }
    case 'node-llama-cpp': {
      // Its own predictor takes one proposed token of a round at most: the program beside the models takes all.
      const words = ['node', join(folder, 'speculate.mjs'), PROMPT].map((word) => quoted(word, shell));
      const install = 'npm install node-llama-cpp';
      return { ...SHELL, library: 'node-llama-cpp', install, code: `${install}\n${words.join(' ')}\n` };
    }
  }
}
