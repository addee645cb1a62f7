/** The benchmarks of `npm run bench -- all`, the quickest first, and what each needs. */
import { hasShared, shared } from '../../test/support/shared';

export interface Entry {
  readonly name: string;
  /** Measures a model: `--model` is handed to it, and without one it needs the reference material. */
  readonly model?: true;
  /** It takes a model, but has one of its own. */
  readonly ownModel?: true;
  readonly args?: readonly string[];
  /** Arguments for a small budget; without them it is not among those. */
  readonly quick?: readonly string[];
  /** Why it cannot run now. */
  readonly missing?: string;
}

const WIKITEXT = 'data/wikitext2/wiki.test.raw.hf-joined.txt';
const text = hasShared ? ['--text', shared(WIKITEXT)] : [];
const noText = hasShared ? undefined : 'the reference material with its text';

export const SUITE: readonly Entry[] = [
  { name: 'start', quick: ['--runs', '5'] },
  { name: 'open', quick: [] },
  { name: 'scale', quick: ['--quick'] },
  { name: 'heal-scale', quick: [] },
  { name: 'what-if', ownModel: true, quick: [] },
  { name: 'parts', ownModel: true, quick: ['--quick', '--counts', '2'], args: ['--quick'] },
  { name: 'panel', quick: ['--toggles', '10', '--openings', '3'] },
  { name: 'streaming', model: true, quick: ['--rounds', '1', '--tokens', '16'] },
  { name: 'decode', model: true, quick: ['--rounds', '1', '--tokens', '16'] },
  { name: 'speculation', model: true },
  { name: 'gguf' },
  { name: 'write' },
  { name: 'taylor', model: true },
  { name: 'memory', model: true },
  { name: 'sweep', model: true },
  { name: 'families' },
  { name: 'race', model: true, args: [...text, '--timed'] },
  { name: 'training', model: true },
  { name: 'teacher', model: true },
  { name: 'heal', model: true },
  { name: 'heal-llama' },
  { name: 'width', model: true },
  { name: 'width-files' },
  { name: 'precision', model: true, args: text, ...(noText !== undefined && { missing: noText }) },
  { name: 'tasks', model: true },
  { name: 'experts' },
  { name: 'vocabulary', model: true, ...(noText !== undefined && { missing: noText }) },
  { name: 'estimates', model: true },
  { name: 'choosing', model: true },
  { name: 'energy', model: true },
  { name: 'modules', model: true },
  { name: 'healing', model: true },
  { name: 'minutes', model: true },
  { name: 'pair', missing: 'a pair and onnxruntime-genai: run it alone with --pair and --consumers-from' },
];
