/** The last chapter: compares the models by numbers and sample text. */
import { formatNumber } from '../../format/numbers';
import { table } from '../terminal/text';
import { answersOf, costsOf, type Examination, qualityOf } from './examine';
import { heading, inOneLine, inParts, type Story } from './story';

/** A model and its name on the page. */
export interface Contestant {
  readonly name: string;
  /** Path of the checkpoint. */
  readonly checkpoint: string;
}

/** @returns one examination per model, in order */
export async function compareChapter(
  story: Story,
  number: number,
  models: readonly Contestant[],
): Promise<Examination[]> {
  const { material, progress, shell } = story;
  heading(
    shell,
    `${number}. Compare`,
    'Every model reads the same text and the same prompts. The text was not used for scoring or training.',
    '',
  );
  const paths = models.map(({ checkpoint }) => checkpoint);
  const parts = inParts(progress.compare, models.length + 2);
  const qualities = [];
  for (const [i, path] of paths.entries()) qualities.push(await qualityOf(path, story, parts[i]));
  const costs = await costsOf(paths, story, parts[models.length]);
  const columns = models.map(({ name, checkpoint }) => ({ label: name, checkpoint }));
  const { questions } = material;
  const answers = questions === undefined ? [] : await answersOf(columns, questions, story, parts[models.length + 1]);
  const found = qualities.map((quality, i): Examination => ({
    ...quality,
    ...costs[i],
    ...(answers.length > 0 && { questions: answers[i] }),
  }));
  const names = models.map(({ name }) => name);
  shell.print(...numbers(names, found));
  const width = Math.max(...names.map((name) => name.length));
  for (const [p, prompt] of material.prompts.entries()) {
    shell.print('', shell.style.bold(prompt));
    for (const [i, { continuations }] of found.entries()) {
      shell.print(`  ${names[i].padEnd(width)}  ${inOneLine(continuations[p].text ?? '', shell)}`);
    }
  }
  return found;
}

function numbers(names: readonly string[], found: readonly Examination[]): string[] {
  const row = (name: string, value: (of: Examination) => number, digits: number): string[] => [
    name,
    ...found.map((each) => formatNumber(value(each), digits)),
  ];
  const answered = found.flatMap(({ questions }) => (questions ? [`${questions.right} of ${questions.items}`] : []));
  return table(
    ['', ...names.map((name) => `>${name}`)],
    [
      row('perplexity', ({ ppl }) => ppl, 4),
      ...(answered.length > 0 ? [['questions right', ...answered]] : []),
      row('million parameters', ({ parameters }) => parameters / 1e6, 3),
      row('megabytes', ({ bytes }) => bytes / 1e6, 3),
      row('tokens per second', ({ tokensPerSecond }) => tokensPerSecond, 3),
    ],
  );
}
