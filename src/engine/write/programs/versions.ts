/** Versions of the packages that examples were run with. */
const VERSIONS = {
  '@huggingface/tokenizers': '0.2.0',
  '@huggingface/transformers': '4.3.1',
  'node-llama-cpp': '3.22.1',
  'onnxruntime-node': '1.30.0',
} as const;

export type NodePackage = keyof typeof VERSIONS;

/** Of packages for Python. */
const PYTHON_VERSIONS = {
  'llama-cpp-python': '0.3.36',
  onnxruntime: '1.32.0',
  'onnxruntime-genai': '0.18.0',
  tokenizers: '0.23.3',
  transformers: '5.24.0',
} as const;

export type PythonPackage = keyof typeof PYTHON_VERSIONS;

/** As "dependencies" of a package.json. */
export const pinned = (...names: readonly NodePackage[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, VERSIONS[name]]));

/** A package.json of modules with these dependencies. */
export const packageJson = (dependencies: Readonly<Record<string, string>>): string =>
  `${JSON.stringify({ private: true, type: 'module', dependencies }, null, 2)}\n`;

/** What npm is to install. */
export const npmWords = (names: readonly NodePackage[]): string[] => names.map((name) => `${name}@${VERSIONS[name]}`);

/** What pip is to install. */
export const pipWords = (names: readonly PythonPackage[]): string[] =>
  names.map((name) => `${name}==${PYTHON_VERSIONS[name]}`);
