/** Every job. A new one is added here, to `runs/index.ts` and to the command line's `program.ts`. */
import { curve } from './curve';
import { evaluate } from './eval';
import { generate } from './generate';
import { merge } from './merge';
import { prune } from './prune';
import { retrain } from './retrain';
import { score } from './score';

export const JOBS = { score, curve, eval: evaluate, generate, prune, merge, retrain };
