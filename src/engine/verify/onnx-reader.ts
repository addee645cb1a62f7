/** An exported ONNX file in onnxruntime itself, as a program around it runs the file: with a cache, on the CPU. */
import { floats, int64, openModelFile, type Session, type SessionInput, type Tensor, zeros } from '../onnx/session';
import { Work } from '../progress';
import { argMax } from './compare';
import { continueGreedily, inWords, type ModelReader } from './reader';

/** "past_key_values.3.key" in, "present.3.key" out; of other states "past_conv.3" and "present_conv.3". */
const PAST = 'past_';
const pastName = (present: string): string =>
  present.replace(/^present(?=\.)/, 'past_key_values').replace(/^present_/, PAST);

export interface OnnxReader extends ModelReader {
  /** −log p of the tokens of a row after its first, in nats. */
  losses(row: readonly number[]): Promise<number[]>;
  /** Tokens a second of `count` greedy tokens after a prompt and one more. */
  decodeRate(prompt: readonly number[], count: number): Promise<number>;
  /** Reads a text behind a prompt token by token, as it is read while it is written. @returns the logits before each token */
  follow(prompt: readonly number[], ids: readonly number[]): Promise<Float32Array[]>;
  /** Reads a text. @returns runs of so many tokens after it, which are forgotten again; each gives its seconds */
  passes(context: readonly number[]): Promise<(ids: readonly number[]) => Promise<number>>;
  close(): Promise<void>;
}

/** @throws UserError when the file cannot be read; Error when onnxruntime refuses it */
export async function openOnnxReader(path: string, name: string, threads?: number): Promise<OnnxReader> {
  const session = await openModelFile(path, { provider: 'cpu', threads, prepack: true });
  const run = (ids: readonly number[], past: Caches): Promise<Ran> => step(session, ids, past);
  return {
    async logits(rows, job) {
      const work = new Work(job, rows.length, 'rows', `running ${name}`);
      const all: Float32Array[] = [];
      for (const row of rows) {
        all.push(...(await run(row, NOTHING)).logits);
        work.advance(1);
      }
      return all;
    },
    async greedy(prompt, count, job) {
      const work = new Work(inWords(job, `running ${name}`, count), count, 'tokens', '');
      let past = NOTHING;
      const next = async (ids: readonly number[]): Promise<Float32Array> => {
        const ran = await run(ids, past);
        past = ran.past;
        return ran.logits[ran.logits.length - 1];
      };
      return continueGreedily(prompt, count, next, () => work.advance(1));
    },
    async losses(row) {
      const { logits } = await run(row, NOTHING);
      return row.slice(1).map((id, i) => lossOf(logits[i], id));
    },
    async decodeRate(prompt, count) {
      let { logits, past } = await run(prompt, NOTHING);
      let start = 0;
      for (let i = 0; i <= count; i++) {
        if (i === 1) start = performance.now(); // the first one makes plans for its shapes
        ({ logits, past } = await run([argMax(logits[logits.length - 1])], past));
      }
      return (1000 * count) / (performance.now() - start);
    },
    async follow(prompt, ids) {
      let { logits, past } = await run(prompt, NOTHING);
      const all = [logits[logits.length - 1]];
      for (const id of ids.slice(0, -1)) {
        ({ logits, past } = await run([id], past));
        all.push(logits[0]);
      }
      return all;
    },
    async passes(context) {
      const { past } = await run(context, NOTHING);
      return async (ids) => {
        const start = performance.now();
        await run(ids, past);
        return (performance.now() - start) / 1000;
      };
    },
    close: () => session.close(),
  };
}

/** What the caches hold: the tokens so far. */
interface Caches {
  readonly length: number;
  readonly tensors: Readonly<Record<string, Tensor>>;
}

const NOTHING: Caches = { length: 0, tensors: {} };

interface Ran {
  /** One for each token. */
  readonly logits: readonly Float32Array[];
  readonly past: Caches;
}

async function step(session: Session, ids: readonly number[], { length, tensors }: Caches): Promise<Ran> {
  const total = length + ids.length;
  const { logits, ...results } = await session.run({
    input_ids: int64(ids, [1, ids.length]),
    attention_mask: int64(Array<number>(total).fill(1), [1, total]),
    ...(length === 0 ? firstCaches(session) : tensors),
  });
  if (!(logits as Tensor | undefined)) throw new Error('it has no output “logits”');
  const values = floats(logits);
  const vocabulary = values.length / ids.length;
  const present = Object.entries(results).map(([name, tensor]) => [pastName(name), tensor] as const);
  return {
    logits: ids.map((_, i) => values.subarray(i * vocabulary, (i + 1) * vocabulary)),
    past: { length: total, tensors: Object.fromEntries(present) },
  };
}

/** The caches of one row of text without tokens: what a run from the start is fed. */
export const firstCaches = ({ inputs }: Session): Record<string, Tensor> =>
  Object.fromEntries(inputs.filter(({ name }) => name.startsWith(PAST)).map((input) => [input.name, first(input)]));

function first({ type, shape }: SessionInput): Tensor {
  const extents = shape.map((extent) => (typeof extent === 'number' ? extent : extent === 'batch_size' ? 1 : 0));
  return zeros(type === 'float16' ? 'float16' : 'float32', extents);
}

function lossOf(logits: Float32Array, id: number): number {
  const top = logits.reduce((most, value) => Math.max(most, value), -Infinity);
  return top + Math.log(logits.reduce((sum, value) => sum + Math.exp(value - top), 0)) - logits[id];
}
