/** Pages of files: recipes, tasks files and records, from their schemas and types. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { JsonSchema } from '../../src/jobs/schema';
import { JOBS } from '../../src/jobs/definitions';
import type { AnyJob } from '../../src/jobs/define';
import { outputOptions, STEP_KINDS } from '../../src/recipes/outputs';
import { LIMIT_NAMES, LIMITS } from '../../src/recipes/recipe';
import { recipeSchema } from '../../src/recipes/schema';
import { COLUMN_FORMATS } from '../../src/recipes/table';
import { code, codes, fence, list, type Page, page, prose, section, sentence, table } from './page';
import { propertyTable } from './schemas';

const root = resolve(import.meta.dirname, '../..');

type Properties = Readonly<Record<string, JsonSchema>>;
const propertiesOf = (schema: JsonSchema): Properties => schema.properties as Properties;

function recipePage(): Page {
  const schema = recipeSchema();
  const { steps, tables } = propertiesOf(schema);
  const step = steps.additionalProperties as JsonSchema;
  const tableSchema = tables.items as JsonSchema;
  const row = (propertiesOf(tableSchema).rows.items ?? {}) as JsonSchema;
  return page(
    'recipe.md',
    'Recipe files',
    `A recipe is a file \`NAME.coppice.json\`: JSON with comments and trailing commas. It holds the steps from a published model to the one that ships; ` +
      'each step is a job of Coppice with its options. VS Code checks the file against [the schema](../../media/coppice-recipe.schema.json). How to write and run one is in [Recipes](../guide/recipes.md).',
    section('Fields', propertyTable(schema)),
    section('A step', propertyTable(step)),
    section(
      'Jobs of steps',
      'A step takes the options of the command of its job, by their names in camel case. Places that it writes to and that it does not ' +
        'name are in the folder of the state.',
      table(
        ['`job`', 'What it does', 'Options that name what it writes'],
        STEP_KINDS.map((kind) => {
          const job: AnyJob = JOBS[kind];
          return [`[${kind}](cli/${kind}.md)`, sentence(prose(job.summary)), codes(outputOptions(kind))];
        }),
      ),
    ),
    section(
      'Limits',
      'A limit that is broken ends the run with exit code 3.',
      table(
        ['Limit', 'Meaning'],
        LIMIT_NAMES.map((name) => [code(name), sentence(prose(LIMITS[name]))]),
      ),
    ),
    section(
      'References',
      table(
        ['Text', 'What takes its place'],
        [
          ['`${name}`', 'The variable of this name: of `--set`, of `quick` with `--quick`, else of `variables`.'],
          ['`${steps.NAME}`', 'The file or folder that the step writes, or the file of its result.'],
          ['`${steps.NAME.OPTION}`', 'The place that this option of the step names.'],
          ['`${steps.NAME.FIELD}`', 'This field of [its result](json/index.md), in tables and descriptions.'],
          ['`$${name}`', 'The text `${name}` itself.'],
        ],
      ),
    ),
    section(
      'Tables',
      propertyTable(tableSchema),
      'A row:',
      propertyTable(row),
      'A column may be `{ "title": …, "as": … }`:',
      table(
        ['`as`', 'How the values are written'],
        Object.entries(COLUMN_FORMATS).map(([name, about]) => [code(name), sentence(prose(about))]),
      ),
    ),
    section('See also', list(['[coppice run](cli/run.md), [coppice init](cli/init.md), [in CI](../guide/ci.md).'])),
  );
}

function tasksFilePage(): Page {
  const text = readFileSync(resolve(root, 'media/coppice-tasks.schema.json'), 'utf8');
  const schema = JSON.parse(text) as JsonSchema & { readonly definitions: Properties };
  const { definitions } = schema;
  return page(
    'tasks-file.md',
    'Tasks files',
    `A tasks file holds questions of your own: \`NAME.coppice-tasks.json\`. A model is judged by them as by the public data sets. VS Code checks the file against ` +
      '[the schema](../../media/coppice-tasks.schema.json); [an example](../../media/sample/stories.coppice-tasks.json) is beside the ' +
      'sample model. A file is an object with `items`, or the list of items alone.',
    section('The file', propertyTable(definitions.file, definitions)),
    section(
      'An item with choices',
      sentence(prose(String(definitions.choice.description))),
      propertyTable(definitions.choice, definitions),
    ),
    section(
      'An item with a written answer',
      sentence(prose(String(definitions.written.description))),
      propertyTable(definitions.written, definitions),
    ),
    section('Use it', fence('sh', 'npx coppice tasks media/sample --own media/sample/stories.coppice-tasks.json')),
    section('See also', list(['[coppice tasks](cli/tasks.md), [public tasks](tasks.md), [Judge](../guide/judge.md).'])),
  );
}

/** The fields of an interface with their comments, from its source. */
function fieldsOf(source: string, name: string): string[][] {
  const body = new RegExp(`export interface ${name} \\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1];
  if (body === undefined) throw new Error(`there is no interface ${name}`);
  const fields = [...body.matchAll(/(?:^ {2}\/\*\*((?:(?!\*\/).)*)\*\/\s*)?^ {2}readonly (\w+)(\?)?: /gms)];
  return fields.map(([, comment = '', field, optional]) => {
    const words = comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim();
    return [`${code(field)}${optional ? ', may be absent' : ''}`, words === '' ? '' : sentence(prose(plain(words)))];
  });
}

/** Files of the engine are for its readers. */
const plain = (text: string): string => text.replace(/ \((?:[\w-]+\/)+[\w-]+\.ts\)/g, '').replace(/; see `[^`]*`/g, '');

const RECORD_WORDS: Readonly<Record<string, string>> = {
  schema: 'Version of the format: `1`.',
  inputs: 'What the run read: model, texts, scores.',
  kind: 'The command, such as `"score"`.',
  started: 'When the run began: ISO 8601, UTC.',
  finished: 'When it ended.',
  settings: 'What the run was asked for, as far as it decides the numbers.',
  versions: 'Versions of Coppice, Node.js and onnxruntime (`null` if nothing was computed).',
  results: 'The object that `--json` prints, and for some commands more.',
};

function recordPage(): Page {
  const source = readFileSync(resolve(root, 'src/engine/records/record.ts'), 'utf8');
  const own = ([field, words]: readonly string[]): string[] => [
    field,
    RECORD_WORDS[field.replaceAll('`', '')] ?? words,
  ];
  return page(
    'record.md',
    'Records',
    'A record says how numbers came about: inputs with their hashes, settings, device, versions, results. `--record FILE` writes one ' +
      'for any run. A model, a plan or an adapter that Coppice writes holds its own as `coppice.json`, a GGUF file in its metadata.',
    section('A record', table(['Field', 'Meaning'], fieldsOf(source, 'RunRecord').map(own))),
    section('An input', table(['Field', 'Meaning'], fieldsOf(source, 'RunInput'))),
    section(
      'See also',
      list([
        '[Results of commands](json/index.md).',
        '[coppice report](cli/report.md) makes a page of records, [coppice gather](cli/gather.md) one record of partial ones.',
      ]),
    ),
  );
}

export const filePages = (): Page[] => [recipePage(), tasksFilePage(), recordPage()];
