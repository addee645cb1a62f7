/** Files of a model as files of a new folder. */
import type { ModelFile } from './model-file';
import type { TreeFile } from './place';

export const linked = (files: readonly ModelFile[], under = ''): TreeFile[] =>
  files.map(({ path, file, bytes }) => ({ path: under + path, file, bytes }));
