/**
 * Vocabulary: what a model keeps of its tokens for an application, and what that costs on texts that were not counted.
 *
 *   npm run bench -- vocabulary [--model PATH] [--texts FILE …] [--mins 1,2,5] [--windows 64]
 *
 * SmolLM2-135M-Instruct unless named. The texts are those of an English help desk, unless named: questions and answers of a data set
 * of instructions. For each least count, the trimmed model is written and measured on other questions and answers, and on WikiText-2.
 * Also how long trimming takes where nothing is measured.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../src/format/numbers';
import { isGguf } from '../src/engine/formats/gguf/file';
import { completeOptions } from '../src/jobs/complete';
import { JOBS } from '../src/jobs/definitions';
import { runJob } from '../src/jobs/run-job';
import { shared } from '../test/support/shared';
import { printMachine } from './support/machine';
import { noteRatio } from './support/ratios';
import { MODEL_OPTION, modelOr } from './support/subject';

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    texts: { type: 'string', multiple: true },
    mins: { type: 'string', default: '1,2,5' },
    windows: { type: 'string', default: '64' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'coppice-bench-vocabulary-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Questions and answers of a data set of instructions, one a line. */
function helpDesk(name: string): string {
  const records = JSON.parse(readFileSync(shared('data/instruct', name), 'utf8')) as Record<string, string>[];
  const lines = records.map(({ instruction, input, output }) =>
    JSON.stringify({ prompt: [instruction, input].filter(Boolean).join('\n'), response: output }),
  );
  const file = join(folder, `${name}l`);
  writeFileSync(file, lines.join('\n'));
  return file;
}

printMachine();
const model = modelOr(values.model);
const texts = values.texts ?? [helpDesk('alpagasus.random_9k.json')];
const judged = [
  ['questions', helpDesk('llamafactory.alpaca_en_demo.json')],
  ['WikiText-2', shared('data/wikitext2/wiki.test.raw.hf-joined.txt')],
] as const;
const isFile = !model.endsWith('/') && (await isGguf(model).catch(() => false));

const trim = async (given: object, out: string) => {
  const target = join(folder, isFile ? `${out}.gguf` : out);
  const options = completeOptions(JOBS.vocabulary, {
    ...{ checkpoint: model, texts, limit: Number(values.windows), device: 'cpu', maxGrowth: 99, maxBitsGrowth: 99 },
    ...{ ...given, out: target },
  });
  const environment = { job: {}, hooks: {}, emit: () => undefined, note: () => undefined, warn: () => undefined };
  const { result } = await runJob('vocabulary', options, { ...environment, place: undefined });
  rmSync(target, { recursive: true });
  return result;
};

const plain = await trim({ bits: false, heldOut: judged[0][1] }, 'plain');
console.log(
  `${formatCount(plain.texts.tokens)} tokens counted, trimmed and checked in ${formatNumber(plain.seconds, 3)} s; ` +
    `files ${formatBytes(plain.bytes.before)} before`,
);
console.log(
  '| at least | tokens | parameters | files | text | tokens that stay | times as many | bits per byte | growth | mass outside |',
);
console.log(
  '| -------: | -----: | ---------: | ----: | ---- | ---------------: | ------------: | ------------: | -----: | -----------: |',
);
for (const min of values.mins.split(',').map(Number)) {
  for (const [name, heldOut] of judged) {
    const { kept, parameters, bytes, heldOut: held } = await trim({ min, heldOut }, `${min}-${name}`);
    const bits = held.bitsPerByte!;
    const cells = [
      ...[
        String(min),
        formatCount(kept),
        `${formatNumber(parameters.after / 1e6, 4)} M`,
        formatBytes(bytes.after),
        name,
      ],
      ...[formatPercent(held.coverage), formatNumber(held.growth, 4)],
      ...[`${formatNumber(bits.before, 4)} → ${formatNumber(bits.after, 4)}`, formatPercent(bits.growth)],
      formatPercent(held.outsideMass!),
    ];
    console.log(`| ${cells.join(' | ')} |`);
    if (name === judged[0][0]) {
      noteRatio(`size of files with tokens seen ${min} times, against all tokens`, bytes.after / bytes.before);
    }
  }
}
