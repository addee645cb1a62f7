/** Programs that run a model with a draft: code for each program that a pair is written for. */
import { quoted, type Shell } from '../../../format/shell';
import type { LoadingCode } from '../loading-code';
import type { PairPlaces } from '../pairs';
import { pythonLiteral, pythonSampling, snippetExpressions } from './expressions';
import { pythonGenai } from './python';

/** How tokens are proposed and taken. */
export interface Drafting {
  /** The most tokens that are proposed at once. */
  readonly length: number;
  /** A token that the draft finds less likely ends what it proposes; 0 for no such limit. */
  readonly threshold: number;
  /** 0: the most likely token each time. */
  readonly temperature: number;
}

/** The code that runs the pair in its program. */
export function pairCode(pair: PairPlaces, drafting: Drafting, shell: Shell = 'posix'): LoadingCode {
  switch (pair.program) {
    case 'genai': {
      const place = snippetExpressions(pair.folder, pythonLiteral);
      const code = pythonGenai(place, undefined, drafting);
      return { ...PYTHON, library: 'onnxruntime-genai', install: 'pip install onnxruntime-genai', code };
    }
    case 'transformers': {
      const code = transformersPair(pair.target, pair.draft, drafting);
      return { ...PYTHON, library: 'transformers', install: 'pip install transformers torch', code };
    }
    case 'llama.cpp':
      return { ...SHELL, library: 'llama.cpp', code: llamaServer(pair.target, pair.draft, drafting, shell) };
    case 'node-llama-cpp': {
      const { target, draft, script } = pair;
      const words = [script, target, draft, 'Once upon a time', '50', String(drafting.length)];
      const code = `# node-llama-cpp's own predictor takes one proposed token a pass: this program takes all
npm install node-llama-cpp
node ${words.map((word) => quoted(word, shell)).join(' ')}
`;
      return { ...SHELL, library: 'node-llama-cpp', code };
    }
  }
}

const PYTHON = { runs: 'python', language: 'python' } as const;
const SHELL = { runs: 'shell', language: 'shellscript' } as const;

/** Without the settings of the draft the library changes how many tokens it proposes by itself. */
const transformersPair = (target: string, draft: string, { length, threshold, temperature }: Drafting): string =>
  `from transformers import AutoModelForCausalLM, AutoTokenizer

model, draft = (AutoModelForCausalLM.from_pretrained(folder) for folder in [${pythonLiteral(target)}, ${pythonLiteral(draft)}])
draft.generation_config.num_assistant_tokens = ${length}
draft.generation_config.num_assistant_tokens_schedule = "constant"
draft.generation_config.assistant_confidence_threshold = ${threshold}
tokenizer = AutoTokenizer.from_pretrained(${pythonLiteral(target)})
inputs = tokenizer("Once upon a time", return_tensors="pt")
ids = model.generate(**inputs, assistant_model=draft, max_new_tokens=50, ${pythonSampling(temperature)})
print(tokenizer.decode(ids[0], skip_special_tokens=True))
`;

const llamaServer = (
  target: string,
  draft: string,
  { length, threshold, temperature }: Drafting,
  shell: Shell,
): string =>
  `llama-server -m ${quoted(target, shell)} -md ${quoted(draft, shell)} --spec-type draft-simple --spec-draft-n-max ${length} --spec-draft-p-min ${threshold} --temp ${temperature}
`;
