// Type-aware lint. Besides the usual rules it guards the walls of the house (ARCHITECTURE.md, "Invariants").
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Forbids import paths (gitignore-style patterns) in a set of files. */
const wall = (files, ignores, patterns, message) => ({
  files,
  ignores,
  rules: { 'no-restricted-imports': ['error', { patterns: [{ group: patterns, message }] }] },
});
const onlySession = ['onnxruntime-node', 'onnxruntime-common'];

export default tseslint.config(
  {
    ignores: ['node_modules', 'dist', '.vscode-test', 'coppice-demo', '.coppice', 'test/out', 'src/library/options.ts'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      // Both programs whole: an editor's service, which opens file after file, takes a third longer.
      parserOptions: { project: ['./tsconfig.json', './webview/tsconfig.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-non-null-assertion': 'off', // noUncheckedIndexedAccess is off; `!` marks Map.get and the like
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': 'off', // indexed access is typed as always defined
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-unused-expressions': 'off' },
  },
  wall(
    ['src/engine/**'],
    ['src/engine/onnx/session.ts'],
    ['vscode', '**/sidecar/**', '**/webview/**', '**/cli/**', ...onlySession],
    'engine/ is pure: no editor, no process around it; only engine/onnx/session.ts imports onnxruntime',
  ),
  wall(['src/cli/**'], [], ['vscode', ...onlySession], 'only engine/onnx/session.ts imports onnxruntime'),
  {
    files: ['test/webview/**/*.js'],
    languageOptions: { globals: { window: 'readonly', document: 'readonly' } },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', Buffer: 'readonly' } },
  },
);
