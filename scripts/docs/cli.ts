/** Pages of the commands: usage, options, examples. From the program itself, as it shows its help. */
import type { Command, Option } from 'commander';
import { flagOf } from '../../src/jobs/argv';
import type { AnyJob } from '../../src/jobs/define';
import { isKind, JOBS } from '../../src/jobs/definitions';
import { afterHelp, commands, leavesOf, type Named, program, shownOptions, usageOf } from './commands-of';
import { code, codes, fence, list, type Page, page, prose, section, sentence, table, valueText } from './page';
import { commandsWithResults } from './results';

/** The page that shows the command in use. */
const GUIDES: Readonly<Record<string, string | undefined>> = {
  inspect: 'guide/choose-blocks.md',
  score: 'guide/choose-blocks.md',
  curve: 'guide/judge.md',
  prune: 'guide/choose-blocks.md',
  width: 'guide/width.md',
  experts: 'guide/experts.md',
  iterate: 'guide/iterate.md',
  heal: 'guide/heal.md',
  retrain: 'guide/retrain.md',
  'hand-over': 'guide/retrain.md',
  take: 'guide/retrain.md',
  merge: 'guide/retrain.md',
  export: 'guide/export.md',
  verify: 'guide/export.md',
  'add-to-project': 'guide/add-to-project.md',
  eval: 'guide/judge.md',
  tasks: 'guide/judge.md',
  generate: 'guide/judge.md',
  bench: 'guide/speed.md',
  grid: 'guide/speed.md',
  versus: 'guide/width.md',
  frontier: 'guide/size.md',
  gather: 'guide/cluster.md',
  submit: 'guide/cluster.md',
  status: 'guide/cluster.md',
  init: 'guide/recipes.md',
  run: 'guide/recipes.md',
  'fetch-tasks': 'guide/judge.md',
  report: 'guide/recipes.md',
  schema: 'guide/ci.md',
  mcp: 'guide/agents.md',
  demo: 'tutorial.md',
};

/** What examples need that are not of a model: the word behind ```sh. */
const NEEDS: Readonly<Record<string, string>> = { 'fetch-tasks': 'network' };

/** Options of how the command prints, which all have. */
const OUTPUT = ['--json', '--record', '--quiet', '--verbose', '--no-color'];

const jobOf = (name: string): AnyJob | undefined => (isKind(name) ? JOBS[name] : undefined);

/** The setting of VS Code with the option's default. */
function settingOf(job: AnyJob | undefined, option: Option): string {
  const found = Object.entries(job?.options ?? {}).find(([name]) => flagOf(name) === positive(option));
  const setting = found?.[1].setting;
  return setting === undefined ? '' : `Setting: ${code(setting)}.`;
}

const positive = ({ long }: Option): string => (long ?? '').replace(/^--no-/, '--');

/** What an option does, with its values, and the options that exclude it. */
function words(option: Option, job: AnyJob | undefined, names: ReadonlyMap<string, string>): string {
  const conflicts = (option as unknown as { conflictsWith: readonly string[] }).conflictsWith;
  const excluded = conflicts.flatMap((name) => names.get(name) ?? []);
  return [
    sentence(prose(option.description)),
    option.argChoices === undefined ? '' : `One of ${codes(option.argChoices)}.`,
    option.mandatory ? 'Required.' : '',
    excluded.length === 0 ? '' : `Not with ${codes(excluded)}.`,
    settingOf(job, option),
  ]
    .filter((text) => text !== '')
    .join(' ');
}

/** A size is described as the user types it. */
const defaultText = ({ defaultValue, defaultValueDescription: words }: Option): string =>
  words === undefined ? valueText(defaultValue) : code(words);

export function optionTable(command: Command, options: readonly Option[], job?: AnyJob): string {
  const names = new Map(shownOptions(command).map((option) => [option.attributeName(), option.long ?? '']));
  const rows = options.map((option) => [
    code(option.flags),
    words(option, job, names),
    option.long?.startsWith('--no-') ? '' : defaultText(option),
  ]);
  return table(['Option', 'What it does', 'Default'], rows);
}

const argumentTable = ({ registeredArguments }: Command): string =>
  table(
    ['Argument', 'What it is'],
    registeredArguments.map((argument) => [
      code(argument.variadic ? `${argument.name()}...` : argument.name()),
      sentence(prose(argument.description)),
    ]),
  );

/** A list of criteria is a page of its own. */
function notesOf(notes: string): string {
  if (notes.startsWith('Criteria:')) return 'The criteria are in [a table of their own](../criteria.md).';
  if (notes.includes('\n')) return fence('text', notes);
  return prose(notes);
}

function examplesOf({ name, command }: Named): string {
  const { notes, examples } = afterHelp(command);
  const lines = examples.map((line) => `npx ${line}`).join('\n');
  return [
    notesOf(notes),
    examples.length === 0 ? '' : section('Examples', fence(`sh needs=${NEEDS[name] ?? 'model'}`, lines)),
  ]
    .filter((text) => text !== '')
    .join('\n\n');
}

const isOutput = ({ long }: Option): boolean => OUTPUT.includes(long ?? '');

function optionSections(command: Command, job: AnyJob | undefined): string[] {
  const options = shownOptions(command);
  const groups = [...new Set(options.map(({ helpGroupHeading }) => helpGroupHeading ?? ''))];
  const own = groups.map((group) => {
    const of = options.filter((option) => (option.helpGroupHeading ?? '') === group && !isOutput(option));
    return section(group === '' ? 'Options' : group.replace(/:$/, ''), optionTable(command, of, job));
  });
  return [...own, section('Output', optionTable(command, options.filter(isOutput)))];
}

function seeAlso(name: string): string {
  const guide = GUIDES[name];
  return section(
    'See also',
    list([
      ...(guide === undefined ? [] : [`[${guideTitle(guide)}](../../${guide}) shows it in use.`]),
      ...(commandsWithResults.includes(name) ? [`[What \`--json\` prints](../json/${name}.md).`] : []),
      '[Exit codes](../exit-codes.md), [environment variables](../environment.md), [all commands](index.md).',
    ]),
  );
}

/** "guide/choose-blocks.md" → "Choose blocks" */
const guideTitle = (file: string): string => {
  const name = file.replace(/^.*\/|\.md$/g, '').replaceAll('-', ' ');
  return name === 'ci' ? 'CI' : name.charAt(0).toUpperCase() + name.slice(1);
};

function commandPage(named: Named): Page {
  const { name, command } = named;
  if (command.commands.length > 0) return familyPage(named);
  return page(
    `cli/${name}.md`,
    `coppice ${name}`,
    prose(command.description()),
    fence('text', usageOf(named)),
    section('Arguments', argumentTable(command)),
    ...optionSections(command, jobOf(name)),
    examplesOf(named),
    seeAlso(name),
  );
}

/** A command with commands of its own for jobs: the page has what is not of the job. */
function familyPage(named: Named): Page {
  const { name, command } = named;
  return page(
    `cli/${name}.md`,
    `coppice ${name}`,
    prose(command.description()),
    ...command.commands.map((inner) => {
      const leaves = leavesOf({ name: `${name} ${inner.name()}`, command: inner });
      const [first] = leaves;
      const job = jobOf(first.command.name());
      const flags = new Set(Object.keys(job?.options ?? {}).map(flagOf));
      const own = shownOptions(first.command).filter((option) => !flags.has(positive(option)) && !isOutput(option));
      const { examples } = afterHelp(first.command);
      return section(
        `coppice ${name} ${inner.name()}`,
        prose(inner.description()),
        fence('text', leaves.map(usageOf).join('\n')),
        `Options of the job are those of its command: ${leaves.map((leaf) => linkTo(leaf.command.name())).join(', ')}. The others:`,
        optionTable(first.command, own),
        fence(`sh needs=${inner.name()}`, examples.map((line) => `npx ${line}`).join('\n')),
      );
    }),
    section('Output', optionTable(command, shownOptions(leavesOf(named)[0].command).filter(isOutput))),
    seeAlso(name),
  );
}

const linkTo = (kind: string): string => `[${kind}](${kind}.md)`;

const index = (): Page =>
  page(
    'cli/index.md',
    'Commands',
    'Every command of `coppice`, with a page each. In a clone they run as `npx coppice COMMAND`, installed as `coppice COMMAND`; ' +
      '`coppice help COMMAND` prints the same.',
    table(
      ['Command', 'What it does'],
      commands.map(({ name, command }) => [linkTo(name), sentence(prose(command.summary()))]),
    ),
    section(
      'How values are written',
      table(
        ['Value', 'How'],
        [
          ['blocks', 'Numbers from 0, with commas and ranges: `10,12-14`.'],
          ['parts of blocks', 'Blocks, and modules by name: `10.attention,12.ffn`.'],
          ['sizes', 'With a unit: `2GB`, `800MiB`. Numbers of parameters: `5.4B`, `110M`.'],
          ['lists', 'With commas: `0.2,0.35`. An option that may be repeated is given again for each value.'],
          [
            'in recipes and in the library',
            'The name in camel case: `--max-kl 0.5` is `"maxKl": 0.5`, and `--no-keep-ends` is `"keepEnds": false`.',
          ],
        ],
      ),
    ),
    section('Options of the program', optionTable(program, shownOptions(program))),
    section(
      'See also',
      list([
        '[Exit codes](../exit-codes.md), [environment variables](../environment.md).',
        '[What `--json` prints](../json/index.md), [the record of a run](../record.md).',
        '[Recipes](../recipe.md) hold several commands in one file.',
      ]),
    ),
  );

export const cliPages = (): Page[] => [index(), ...commands.map(commandPage)];
