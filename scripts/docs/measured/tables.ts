/** The tables of the documents that are made from kept records: docs/results/raw, one folder for each model. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { table } from '../page';

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
    { label: 'original, as stored', bytes: whole.bytes, ppl: read(folder, 'original').ppl },
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

/** Size and perplexity of every form of each model. */
function shortTable(): string {
  const models = MODELS.map(({ folder }) => rowsOf(folder));
  const head = MODELS.flatMap(({ name, stored }) => [`${name} (${stored}): file`, 'perplexity']);
  const rows = models[0].map(({ label }, at) => [
    label,
    ...models.flatMap((each) => [megabytes(each[at].bytes), number(each[at].ppl, 1)]),
  ]);
  return table(['', ...head], rows);
}

/** Every form of one model. */
function modelTable(folder: string): string {
  const rows = rowsOf(folder).map(({ label, bytes, ppl, kl, top1 }) => [
    label,
    megabytes(bytes),
    number(ppl, 2),
    number(kl, 3),
    percent(top1),
  ]);
  return table(['', 'file', 'perplexity', 'KL divergence', 'same next token'], rows);
}

/** Text of one model and of the pruned one, token by token in float32. */
function speedTable(): string {
  const rows = MODELS.map(({ folder, name }) => {
    const [whole, pruned] = read(folder, 'speed').models!.map(({ cells }) => cells[0].measured!.throughput);
    const each = [whole, pruned].map(({ mean, sd }) => `${mean.toFixed(1)} ± ${sd.toFixed(1)}`);
    return [name, ...each, `${(pruned.mean / whole.mean).toFixed(2)}×`];
  });
  return table(['tokens a second', 'original', 'pruned', 'ratio'], rows);
}

/** Where each row comes from. */
function sourcesTable(): string {
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
  short: shortTable,
  smollm: () => modelTable('smollm2-135m-instruct'),
  gemma: () => modelTable('gemma-3-270m'),
  speed: speedTable,
  sources: sourcesTable,
};

/** The pages that have such tables, between `<!-- measured: NAME -->` and `<!-- end of measured -->`. */
export const MEASURED = [
  'README.md',
  'README.extension.md',
  'docs/guide/when-to-prune.md',
  'docs/results/index.md',
] as const;

const PLACE = /(<!-- measured: ([a-z-]+) -->)[^]*?(<!-- end of measured -->)/g;

/** The document with the tables of today, as prettier writes it. */
export async function withMeasured(document: string): Promise<string> {
  const filled = document.replace(
    PLACE,
    (_, start: string, name: string, end: string) => `${start}\n\n${TABLES[name]()}\n\n${end}`,
  );
  const filepath = resolve(raw, '../index.md');
  return format(filled, { ...(await resolveConfig(filepath)), filepath });
}
