/**
 * llama.cpp's own program on the PATH, `llama-completion` or an older `llama-cli`. It takes and prints texts, not ids: it is given the
 * text of the prompt, and what it prints is compared with the text of each next token.
 */
import { announce, type JobOptions } from '../../progress';
import { optionalTokenizer } from '../../tokenizer/optional';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import type { GreedyComparison } from '../compare';
import type { VerificationRows } from '../rows';
import type { Consumed } from './consumers';
import { runText, type Text } from './run';
import { findLlamaProgram } from './there';

export interface GgufToContinue {
  /** Absolute. */
  readonly path: string;
  readonly rows: Pick<VerificationRows, 'prompt' | 'hasText'>;
  readonly of: string;
  /** Tokens of the model that every program must write. */
  readonly sure: readonly number[];
  /** Tokens to ask for. */
  readonly count: number;
}

/** Room for what tokenizers of texts add. */
const SPARE = 8;
/** Seconds. */
const VERSION_PATIENCE = 20;

/** Nothing where the program is not there. @param from a folder of programs that the user names */
export async function consumeByLlamaProgram(
  { path, rows, of, sure, count }: GgufToContinue,
  from: string | undefined,
  job: JobOptions,
): Promise<Consumed[]> {
  const program = findLlamaProgram(from);
  if (!program) return [];
  const { name, file } = program;
  announce(job, `running ${name}`);
  const start = performance.now();
  const since = (): number => (performance.now() - start) / 1000;
  const said = await runText(file, ['--version'], '', { patience: VERSION_PATIENCE, signal: job.signal });
  const version = 'failure' in said ? undefined : versionIn(said);
  const about = { name, of, ...(version !== undefined && { version }) };
  const tokenizer = await optionalTokenizer(path, job);
  const prompt = tokenizer && rows.hasText ? await promptText(rows.prompt, tokenizer) : undefined;
  if (!tokenizer || prompt === undefined) return [{ ...about, seconds: since(), failure: NO_TEXT }];
  const args = argumentsFor(path, rows.prompt.length + count + SPARE, count);
  const printed = await runText(file, args, prompt, { signal: job.signal });
  if ('failure' in printed) return [{ ...about, seconds: since(), failure: printed.failure }];
  if (printed.code !== 0) return [{ ...about, seconds: since(), failure: failureIn(printed) }];
  const texts = await Promise.all(sure.map((_, at) => after(sure.slice(0, at + 1), rows.prompt, tokenizer)));
  return [{ ...about, ...compareText(printed.text, texts), seconds: since() }];
}

const NO_TEXT = 'it was not run: it takes texts, and the compared tokens are none that its tokenizer makes of a text';

/** One thread and a cache in float32, as for the library; no text of the prompt is a command or an escape. */
const argumentsFor = (path: string, context: number, count: number): string[] => [
  ...['-m', path, '-f', 'input.txt', '-n', String(count), '-c', String(context)],
  ...['--temp', '0', '-t', '1', '-ngl', '0', '-ctk', 'f32', '-ctv', 'f32'],
  ...['-no-cnv', '--no-display-prompt', '--no-escape', '--no-warmup'],
];

/** The text that the program's tokenizer makes the same ids of. */
async function promptText(ids: readonly number[], tokenizer: Tokenizer): Promise<string | undefined> {
  const text = await tokenizer.decode(ids, { skipSpecialTokens: true });
  const again = await tokenizer.encode(text, { addSpecialTokens: true });
  return again.length === ids.length && again.every((id, at) => id === ids[at]) ? text : undefined;
}

const after = (ids: readonly number[], prompt: readonly number[], tokenizer: Tokenizer): Promise<string> =>
  tokenizer.decode(ids, { skipSpecialTokens: true, after: prompt });

/**
 * @param texts of the first token, of the first two, and so on. One that ends within a character is passed over: the next one
 *   has it whole.
 */
export function compareText(printed: string, texts: readonly string[]): GreedyComparison {
  const found = printed.replaceAll('\r\n', '\n');
  const at = texts.findIndex((text) => !text.endsWith('\uFFFD') && !found.startsWith(text));
  return { tokens: texts.length, equal: at < 0, ...(at >= 0 && { firstDifference: at }) };
}

/** Since llama-completion is a program of its own, llama-cli only chats. */
const CHATS_ONLY =
  'it was not run: this llama-cli only chats; llama-completion, which comes with it and continues texts, is not on the PATH';
const MOST_WORDS = 300;

export function failureIn({ code, complained }: Text): string {
  if (/invalid argument: -no-cnv|use llama-completion/.test(complained)) return CHATS_ONLY;
  const lines = complained.trim().split('\n');
  const line = lines.findLast((each) => /\berror\b/i.test(each)) ?? lines[0];
  return (line === '' ? `it ended with ${code}` : line).replace(/\s+/g, ' ').slice(0, MOST_WORDS);
}

/** "version: 4589 (5f3a2c)", "version: 0.6.0-dev (build 0, commit unknown)" */
export const versionIn = ({ text, complained }: Pick<Text, 'text' | 'complained'>): string | undefined =>
  /^version:\s*(\S+)/m.exec(`${text}\n${complained}`)?.[1];
