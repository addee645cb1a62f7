/** Writes the types of the library into `dist/types`, for its documentation: `npm run docs`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { libraryTypes } from './types';

const folder = resolve(import.meta.dirname, '../../dist/types');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'library.d.ts'), libraryTypes());
