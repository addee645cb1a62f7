/** The tables of the documents that are made from kept records: docs/results/raw, one folder for each model. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const raw = resolve(import.meta.dirname, '../../../docs/results/raw');

/** The models that are measured, by their folders. */
const MODELS = [
  { folder: 'smollm2-135m-instruct', name: 'SmolLM2', stored: 'bf16' },
  { folder: 'gemma-3-270m', name: 'Gemma 3 270M', stored: 'Q4_K_M' },
] as const;

interface Perplexity {
  readonly ppl: number;
}

/** What the tables read of a record. */
interface Kept {
  readonly results: {
    readonly ppl?: number;
    readonly kl?: number;
    readonly top1?: number;
    readonly bytes?: number;
    readonly measured?: readonly { readonly perplexity: Perplexity }[];
    readonly models?: readonly SpeedOf[];
  };
}

interface SpeedOf {
  readonly bytes: number;
  readonly cells: readonly {
    readonly measured?: { readonly throughput: { readonly mean: number; readonly sd: number } };
  }[];
}

const read = (folder: string, step: string): Kept['results'] =>
  (JSON.parse(readFileSync(join(raw, folder, `${step}.json`), 'utf8')) as Kept).results;

/** One model in one form. */
interface Row {
  readonly label: string;
  readonly bytes?: number;
  readonly ppl?: number;
  readonly kl?: number;
  readonly top1?: number;
}

/** @param step an export, which was measured as it is; @param quality of the same weights before they were rounded */
function exported(folder: string, label: string, step: string, quality?: string): Row {
  const { bytes, measured } = read(folder, step);
  const { kl, top1 } = quality === undefined ? {} : read(folder, quality);
  return { label, bytes, ppl: measured?.[0].perplexity.ppl, kl, top1 };
}

function rowsOf(folder: string): Row[] {
  const [whole] = read(folder, 'speed').models!;
  return [
    { label: 'original', bytes: whole.bytes, ppl: read(folder, 'original').ppl },
    exported(folder, 'original in q8_0', 'original_q8'),
    exported(folder, 'original in q4_0', 'original_q4'),
    exported(folder, 'pruned, in q8_0', 'pruned_q8', 'pruned_quality'),
    exported(folder, 'healed, in q8_0', 'healed_q8', 'healed_quality'),
    exported(folder, 'retrained, in q8_0', 'retrained_q8', 'retrained_quality'),
  ];
}

const megabytes = (bytes = NaN): string => `${(bytes / 1e6).toFixed(1)} MB`;
const number = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '';
const percent = (value: number | undefined): string => (value === undefined ? '' : `${(100 * value).toFixed(0)} %`);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Size, perplexity and KL divergence of every form of both models. */
export function qualityTable(): string {
  const models = MODELS.map(({ folder }) => rowsOf(folder));
  const head = MODELS.flatMap(({ name }) => [`${name}: size`, 'perplexity', 'KL divergence', 'same next token']);
  const rows = models[0].map(({ label }, at) => [
    label,
    ...models.flatMap((each) => {
      const { bytes, ppl, kl, top1 } = each[at];
      return [megabytes(bytes), number(ppl, 1), number(kl, 2), percent(top1)];
    }),
  ]);
  return table(['', ...head], rows);
}

/** Text of one model and of the pruned one, token by token in float32. */
export function speedTable(): string {
  const rows = MODELS.map(({ folder, name }) => {
    const [whole, pruned] = read(folder, 'speed').models!.map(({ cells }) => cells[0].measured!.throughput);
    const each = [whole, pruned].map(({ mean, sd }) => `${mean.toFixed(1)} ± ${sd.toFixed(1)}`);
    return [name, ...each, `${(pruned.mean / whole.mean).toFixed(2)}×`];
  });
  return table(['tokens a second', 'original', 'pruned', 'ratio'], rows);
}

/** Where each row comes from. */
export function sourcesTable(): string {
  const rows = MODELS.map(({ folder, name }) => {
    const { machine, commit } = JSON.parse(readFileSync(join(raw, folder, 'run.json'), 'utf8')) as Record<
      string,
      string
    >;
    return [name, machine, `\`${commit}\``, `[records](raw/${folder})`];
  });
  return table(['model', 'machine', 'commit', ''], rows);
}

const TABLES: Readonly<Record<string, () => string>> = {
  quality: qualityTable,
  speed: speedTable,
  sources: sourcesTable,
};

/** The document with the tables of today between `<!-- results: NAME -->` and `<!-- end of results -->`. */
export function withResults(document: string): string {
  return document.replace(
    /(<!-- results: ([a-z]+) -->)[^]*?(<!-- end of results -->)/g,
    (_, start: string, name: string, end: string) => `${start}\n\n${TABLES[name]()}\n\n${end}`,
  );
}

/** Both models were measured. */
export const isMeasured = (): boolean => MODELS.every(({ folder }) => existsSync(join(raw, folder, 'run.json')));
