/** Every job. A new one is added here, to `runs/index.ts` and to the command line's `program.ts`. */
import { curve } from './curve';
import { score } from './score';

export const JOBS = { score, curve };
