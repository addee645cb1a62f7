/**
 * Text with a draft beside text without one: tokens a second, what the draft proposed and what stayed, and whether the text is the same.
 *
 *   npm run bench -- speculation [--model PATH] [--drafts int4,int8] [--lengths 2,4,8] [--tokens 96] [--rounds 5] [--threads N]
 *                                [--plan 13-18] [--together 16]
 *
 * Greedy, in float32, one text at a time: half a dozen prompts in plain English. In each round every prompt is written without a draft
 * and then with each draft and length; ratios are of the two times of one round, and their median over rounds and prompts stands
 * with their range. Reading the prompt is not in them. `int4` and `int8` are the model itself in so many bits.
 * With `--plan` the model and a copy without these blocks continue each prompt side by side, as a comparison does, with and without drafts:
 * those times are of the whole comparison, reading the prompts and opening its sessions included.
 */
import { parseArgs } from 'node:util';
import { openCheckpoint, requireArchitecture } from '../src/engine/checkpoint/open';
import { generate, type Generated } from '../src/engine/evaluate/generate';
import { writeSideBySide } from '../src/engine/evaluate/samples';
import { writePrompts } from '../src/engine/evaluate/write-prompts';
import { median } from '../src/engine/median';
import { type Model, openModel } from '../src/engine/model/model';
import { fullView, parseRemoved, viewWithout } from '../src/engine/model/view';
import { beginningOf } from '../src/engine/tokenizer/bos';
import { encodePrompt } from '../src/engine/tokenizer/prompt';
import { loadTokenizer } from '../src/engine/tokenizer/tokenizer';
import { printMachine } from './support/machine';
import { MODEL_OPTION, modelOr } from './support/subject';
import { noteRatio } from './support/ratios';

const PROMPTS = [
  'The history of the city begins with',
  'To install the program, first',
  'She opened the letter and',
  'The most common causes of a slow computer are',
  'A simple recipe for bread:',
  'Dear customer, thank you for your question.',
];

const { values } = parseArgs({
  options: {
    ...MODEL_OPTION,
    drafts: { type: 'string', default: 'int4,int8' },
    lengths: { type: 'string', default: '2,4,8' },
    tokens: { type: 'string', default: '96' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string' },
    together: { type: 'string', default: '16' },
    plan: { type: 'string' },
  },
});
const threads = values.threads === undefined ? undefined : Number(values.threads);
const lengths = values.lengths.split(',').map(Number);

printMachine();
const checkpoint = await openCheckpoint(modelOr(values.model));
const architecture = requireArchitecture(checkpoint);
const tokenizer = await loadTokenizer(checkpoint.home);
const beginning = beginningOf(undefined, { tokenizer, bosTokenId: architecture.bosTokenId });
const prompts = await Promise.all(PROMPTS.map((prompt) => encodePrompt(tokenizer, prompt, { beginning })));
const target = await openModel(checkpoint, { device: 'cpu', threads });
const drafts: { readonly name: string; readonly model: Model }[] = [];
for (const name of values.drafts.split(',')) {
  drafts.push({
    name,
    model: await openModel(checkpoint, { device: 'cpu', threads, precision: name as 'int4' | 'int8' }),
  });
}

interface Cell {
  readonly ratios: number[];
  drafted: number;
  accepted: number;
  rounds: number;
  same: number;
}

const view = fullView(architecture.layers.length);
const write = (prompt: readonly number[], draft?: Model, length = 1): Promise<Generated> =>
  generate(target, prompt, {
    ...{ maxNewTokens: Number(values.tokens), greedy: true, ignoreEos: true },
    ...(draft && { draft: { model: draft, view, length } }),
  });

const cells = new Map<string, Cell>();
const plain: number[] = [];
for (const { model } of drafts) await write(prompts[0], model, 2); // the first run of a session reads its weights
for (let round = 0; round < Number(values.rounds); round++) {
  for (const prompt of prompts) {
    const alone = await write(prompt);
    plain.push(alone.decodeTokensPerSecond);
    for (const { name, model } of drafts) {
      for (const length of lengths) {
        const { ids, decodeTokensPerSecond, speculated } = await write(prompt, model, length);
        const key = `${name}, ${length} at once`;
        const cell = cells.get(key) ?? { ratios: [], drafted: 0, accepted: 0, rounds: 0, same: 0 };
        cells.set(key, cell);
        cell.ratios.push(decodeTokensPerSecond / alone.decodeTokensPerSecond);
        cell.drafted += speculated!.drafted;
        cell.accepted += speculated!.accepted;
        cell.rounds += speculated!.rounds;
        cell.same += ids.join() === alone.ids.join() ? 1 : 0;
      }
    }
  }
}
console.log(
  `\n${prompts.length} prompts, ${values.tokens} tokens each, ${values.rounds} rounds; without a draft ${median(plain).toFixed(1)} tokens/s\n`,
);
for (const [key, { ratios }] of cells) noteRatio(`speed of a text with a draft (${key}), against none`, median(ratios));
console.table(
  Object.fromEntries(
    [...cells].map(([key, { ratios, drafted, accepted, rounds, same }]) => [
      key,
      {
        'times as fast': `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
        'proposed tokens that stayed': `${((100 * accepted) / drafted).toFixed(0)} %`,
        'tokens a pass': ((rounds + accepted) / rounds).toFixed(2),
        'same text': `${same} of ${ratios.length}`,
      },
    ]),
  ),
);
// Where several texts are wanted, they are written side by side: a pass reads the weights once for all of them.
const together = Number(values.together);
const many = Array.from({ length: together }, (_, i) => prompts[i % prompts.length]);
let written = 0;
const start = performance.now();
await writePrompts(
  target,
  many,
  { maxNewTokens: Number(values.tokens), greedy: true, ignoreEos: true, together },
  (_, texts) => texts.forEach(({ ids }) => (written += ids.length)),
);
const sideBySide = (1000 * written) / (performance.now() - start);
console.log(
  `${together} texts side by side, without a draft: ${sideBySide.toFixed(1)} tokens/s, ${(sideBySide / median(plain)).toFixed(2)} times one alone`,
);

if (values.plan !== undefined) {
  const blocks = architecture.layers.length;
  const views = [view, viewWithout(blocks, parseRemoved(values.plan, blocks))];
  const compare = async (prompt: readonly number[], draft?: Model): Promise<{ seconds: number; texts: string }> => {
    const columns = views.map((own) => {
      return {
        model: target,
        view: own,
        promptIds: prompt,
        ...(draft && { draft: { model: draft, view: own, length: 4 } }),
      };
    });
    const begun = performance.now();
    const writing = { maxNewTokens: Number(values.tokens), greedy: true, ignoreEos: true };
    const texts = await writeSideBySide(columns, writing, () => undefined);
    return { seconds: (performance.now() - begun) / 1000, texts: texts.map(({ ids }) => ids.join()).join(' ') };
  };
  const ratios = new Map(drafts.map(({ name }) => [name, [] as number[]]));
  let [same, all] = [0, 0];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const prompt of prompts) {
      const alone = await compare(prompt);
      for (const { name, model } of drafts) {
        const drafted = await compare(prompt, model);
        ratios.get(name)!.push(alone.seconds / drafted.seconds);
        same += drafted.texts === alone.texts ? 1 : 0;
        all++;
      }
    }
  }
  for (const [name, of] of ratios) {
    console.log(
      `the model and itself without ${values.plan} side by side, each with ${name} as its draft, 4 at once: ` +
        `${median(of).toFixed(2)} times as fast as without (${Math.min(...of).toFixed(2)}–${Math.max(...of).toFixed(2)})`,
    );
  }
  console.log(`same texts: ${same} of ${all}`);
}
for (const { model } of drafts) await model.close();
await target.close();
