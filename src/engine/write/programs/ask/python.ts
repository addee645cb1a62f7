/** The example for Python: llama-cpp-python, onnxruntime-genai, onnxruntime or transformers, by the model's format. */
import { type Expressions, indented, pythonLiteral } from '../expressions';
import { genaiParts, llamaCppParts, onnxruntimeParts, type PythonParts, transformersParts } from '../python';
import {
  type Example,
  type ExampleFile,
  MOST_TOKENS,
  PLACE_VARIABLE,
  questionFor,
  TEST_TOKENS,
  whatItDoes,
} from './example';

const NAMES: Expressions = { path: 'MODEL', prompt: 'question', count: 'max_tokens' };

/** @param context of a GGUF file: most tokens of question and answer */
export const pythonFiles = (example: Example, context?: number): ExampleFile[] => [
  { name: 'ask.py', text: module(example, context) },
  { name: 'test_ask.py', text: pythonTest(example) },
];

function partsOf({ model, chats }: Example, context: number | undefined): PythonParts {
  switch (model.format) {
    case 'gguf':
      return llamaCppParts(NAMES, chats, context);
    case 'onnx':
      return model.genai === false ? onnxruntimeParts(model.kind, NAMES) : genaiParts(NAMES, chats);
    case 'safetensors':
      return transformersParts(NAMES, chats);
  }
}

function module(example: Example, context: number | undefined): string {
  const { name, library, install, place } = example;
  const { standard, imports, load, loaded, write, answer } = partsOf(example, context);
  const needed = ['functools', 'os', 'sys', ...(place.isRelative ? ['pathlib'] : []), ...standard];
  const path = pythonLiteral(place.path);
  const where = place.isRelative ? `str(pathlib.Path(__file__).resolve().parent / ${path})` : path;
  const names = loaded.join(', ');
  return `# Asks the model ${name}, with ${library}.
# usage: python ask.py ${JSON.stringify(questionFor(example))}
# Once before: ${install}
${[...new Set(needed)]
  .sort()
  .map((each) => `import ${each}\n`)
  .join('')}
${imports}
# Where the model is. The variable ${PLACE_VARIABLE} names another place.
MODEL = os.environ.get("${PLACE_VARIABLE}") or ${where}


@functools.cache
def load():
    """Loads the model, which the first question does."""
${indented(load, 4)}    return ${names}


def ask(question: str, max_tokens: int = ${MOST_TOKENS}) -> str:
    """${whatItDoes(example)}"""
    ${names} = load()
${indented(write, 4)}    return ${answer}


if __name__ == "__main__":
    print(ask(sys.argv[1] if len(sys.argv) > 1 else ${pythonLiteral(questionFor(example))}))
`;
}

const pythonTest = (example: Example): string => `# usage: python -m unittest
import unittest

from ask import ask


class AskTest(unittest.TestCase):
    def test_the_model_answers_a_question(self):
        answer = ask(${pythonLiteral(questionFor(example))}, max_tokens=${TEST_TOKENS})
        self.assertRegex(answer, r"\\S")


if __name__ == "__main__":
    unittest.main()
`;
