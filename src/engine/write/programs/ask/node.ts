/** The example for Node: node-llama-cpp for a GGUF file, transformers.js for an ONNX folder. */
import { imported, indented, jsLiteral } from '../expressions';
import { LLAMA_SESSION, llamaModel, transformersInNode } from '../javascript';
import { type Example, type ExampleFile, questionFor, TEST_TOKENS } from './example';
import { askFunction, moduleTypes, PLACE_COMMENT, placeInNode, transformersBody } from './module';

type NodeExample = Example<'gguf'> | Example<'onnx'>;

/** @param isTyped the project is in TypeScript */
export const nodeFiles = (example: NodeExample, isTyped: boolean): ExampleFile[] => [
  { name: 'ask.mjs', text: module(example) },
  ...(isTyped ? [moduleTypes(example)] : []),
  { name: 'ask.test.mjs', text: nodeTest(example) },
];

function module(example: NodeExample): string {
  const { name, library, install, place } = example;
  const { imports, path } = placeInNode(place);
  const { packages, load, loaded, body } = isGguf(example) ? ofGguf(example) : ofOnnx(example);
  return `// Asks the model ${name}, with ${library}.
// usage: node ask.mjs ${JSON.stringify(questionFor(example))}
// Once before, in the project: ${install}
${imported('{ realpathSync }', 'node:fs')}
${imports}${imported('{ fileURLToPath }', 'node:url')}
${packages}
${PLACE_COMMENT}
const MODEL = ${path};

let loading;
/** Loads the model, which the first question does. */
async function load() {
${indented(load, 2)}  return ${loaded};
}

${askFunction(example, body)}
// Only where this file is the program.
if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [question = ${jsLiteral(questionFor(example))}] = process.argv.slice(2);
  await ask(question, { onText: (text) => process.stdout.write(text) });
  console.log();
}
`;
}

interface ModuleParts {
  readonly packages: string;
  readonly load: string;
  /** What \`load\` leaves. */
  readonly loaded: string;
  readonly body: string;
}

const isGguf = (example: NodeExample): example is Example<'gguf'> => example.model.format === 'gguf';

const FIRST = 'await (loading ??= load())';

function ofGguf({ chats }: Example<'gguf'>): ModuleParts {
  const { imports, make } = LLAMA_SESSION[chats ? 'chat' : 'text'];
  const call = chats ? 'session.prompt' : 'completion.generateCompletion';
  return {
    packages: `${imported(`{ getLlama, ${imports} }`, 'node-llama-cpp')}\n`,
    load: llamaModel('MODEL'),
    loaded: 'model',
    body: `const model = ${FIRST};
const context = await model.createContext();
try {
  ${make}
  return await ${call}(question, { maxTokens, temperature: 0, onTextChunk: onText });
} finally {
  await context.dispose();
}
`,
  };
}

const ofOnnx = (example: Example<'onnx'>): ModuleParts => ({
  packages: `${imported('{ env, pipeline, TextStreamer }', '@huggingface/transformers')}\n`,
  load: transformersInNode(example.model.kind, 'MODEL'),
  loaded: 'generator',
  body: transformersBody(example, FIRST),
});

const nodeTest = (example: NodeExample): string => `// usage: node --test
${imported('assert', 'node:assert/strict')}
${imported('{ test }', 'node:test')}
${imported('{ ask }', './ask.mjs')}

test('the model answers a question', async () => {
  ${answered(example)}
});
`;

/** The line that asks, and the one that looks at the answer. */
export const answered = (example: Pick<Example, 'chats'>): string =>
  `const answer = await ask(${jsLiteral(questionFor(example))}, { maxTokens: ${TEST_TOKENS} });
  assert.match(answer, /\\S/);`;
