/** Entry of `coppice`: loads the program of its commands, as it was compiled the last time. */
import { fileURLToPath } from 'node:url';
import { loadCompiled } from './compiled';

loadCompiled(fileURLToPath(new URL('commands.cjs', import.meta.url)));
