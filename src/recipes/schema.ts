/** JSON Schema of recipes, from the registry of jobs: completion, hover and errors in the editor. `npm run manifest` writes it. */
import { capitalized } from '../format/words';
import type { AnyJob } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import type { Kind } from '../jobs/kinds';
import { type JsonSchema, typeOf } from '../jobs/schema';
import type { Option } from '../jobs/option';
import { recipeText } from './naming';
import { outputOptions, STEP_KINDS } from './outputs';
import { COLUMN_FORMATS } from './table';
import { LIMITS, LIMIT_NAMES, RECIPE_VERSION } from './recipe';

const NAME_PATTERN = '^[A-Za-z_][A-Za-z0-9_-]{0,63}$';
/** Anything that names a variable or a step. */
const REFERENCE: JsonSchema = { type: 'string', pattern: '\\$\\{[^{}]+\\}' };

/** Draft 7, which VS Code's editor of JSON knows best. */
export function recipeSchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Coppice recipe',
    // Known to VS Code alone: what the reader accepts has no warning there.
    allowTrailingCommas: true,
    description: 'The way from a published model to the one that ships: steps, each a job of Coppice with its options.',
    type: 'object',
    required: ['coppice', 'steps'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', description: 'Where this schema is, for editors without Coppice.' },
      coppice: { const: RECIPE_VERSION, description: 'Version of the format.' },
      title: { type: 'string', description: 'Title of the report.' },
      description: { type: 'string', description: 'What the recipe is for.' },
      model: {
        type: 'string',
        description: 'The checkpoint of every step that names none. Relative paths start at the folder of the recipe.',
      },
      variables: variables(
        'Values that texts of the recipe name as ${name}; `coppice run --set name=value` replaces them.',
      ),
      quick: variables('Values in place of those of “variables” with `coppice run --quick`.'),
      limits: limits(
        LIMIT_NAMES,
        'Limits of the recipe: each judges the last step that measures it. A broken one fails the run.',
      ),
      steps: {
        type: 'object',
        description: 'Steps by their names. They run in an order in which each finds what it names.',
        minProperties: 1,
        propertyNames: { pattern: NAME_PATTERN },
        additionalProperties: step(),
      },
      tables: { type: 'array', description: 'Tables of the report.', items: TABLE },
    },
  };
}

const variables = (description: string): JsonSchema => ({
  type: 'object',
  description,
  propertyNames: { pattern: NAME_PATTERN, not: { enum: ['steps', 'model'] } },
});

const limits = (names: readonly (typeof LIMIT_NAMES)[number][], description: string): JsonSchema => ({
  type: 'object',
  description,
  additionalProperties: false,
  properties: Object.fromEntries(
    names.map((name) => [
      name,
      {
        anyOf: [{ type: 'number', minimum: 0 }, name === 'maxBytes' ? { type: 'string' } : REFERENCE],
        description: sentence(LIMITS[name]),
      },
    ]),
  ),
});

const sentence = (text: string): string => `${capitalized(text)}.`;

function step(): JsonSchema {
  return {
    type: 'object',
    required: ['job'],
    additionalProperties: false,
    properties: {
      job: {
        type: 'string',
        enum: STEP_KINDS,
        description: 'What the step does.',
        enumDescriptions: STEP_KINDS.map((kind) => sentence(JOBS[kind].summary)),
      },
      description: { type: 'string', description: 'A line for the report.' },
      options: { type: 'object', description: 'Options of the job.' },
      limits: limits(LIMIT_NAMES, 'Limits: a broken one fails the run after this step.'),
      after: {
        type: 'array',
        items: { type: 'string' },
        description: 'Steps that must be done before, besides those that the options name.',
      },
    },
    allOf: STEP_KINDS.map((kind) => ({
      if: { properties: { job: { const: kind } }, required: ['job'] },
      then: { properties: { options: optionsOf(kind) } },
    })),
  };
}

function optionsOf(kind: Kind): JsonSchema {
  const job: AnyJob = JOBS[kind];
  const shown = Object.entries(job.options).filter(
    ([, option]) => !option.hidden && !option.byHand && option.kind.kind !== 'data',
  );
  return {
    type: 'object',
    description: recipeText(job.description),
    additionalProperties: false,
    properties: Object.fromEntries(shown.map(([name, option]) => [name, propertyOf(kind, name, option)])),
  };
}

function propertyOf(kind: Kind, name: string, { kind: values, help, default: usual }: Option): JsonSchema {
  const own = typeOf(values);
  const output = outputOptions(kind).includes(name) ? '. Without it, a place in .coppice.' : '';
  return {
    ...(own.type === 'string' && own.enum === undefined ? own : { anyOf: [own, ...textForms(values.kind), REFERENCE] }),
    description: `${capitalized(recipeText(help))}${output}`,
    ...(usual !== undefined && { default: usual }),
  };
}

/** Lists of blocks and sizes may be texts, as on the command line. */
function textForms(kind: Option['kind']['kind']): JsonSchema[] {
  if (kind === 'blocks') return [{ type: 'string', pattern: '^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$' }];
  if (kind === 'parts')
    return [{ type: 'string', pattern: '^\\d+(-\\d+|\\.(attention|ffn))?(,\\d+(-\\d+|\\.(attention|ffn))?)*$' }];
  if (kind === 'bytes' || kind === 'parameters') return [{ type: 'string', pattern: '^\\d' }];
  return [];
}

const CELLS: JsonSchema = { type: 'array', items: { type: ['number', 'string', 'null'] } };

const TABLE: JsonSchema = {
  type: 'object',
  required: ['title', 'columns', 'rows'],
  properties: {
    title: { type: 'string' },
    note: { type: 'string' },
    paper: { type: 'string', description: 'Where the numbers of a paper come from.' },
    chart: { enum: ['lines', 'bars'], description: 'Columns against the first one, or each column as bars.' },
    columns: {
      type: 'array',
      minItems: 1,
      items: {
        anyOf: [
          { type: 'string' },
          {
            type: 'object',
            required: ['title'],
            additionalProperties: false,
            properties: {
              title: { type: 'string' },
              as: {
                enum: Object.keys(COLUMN_FORMATS),
                enumDescriptions: Object.values(COLUMN_FORMATS).map(sentence),
                description: 'How the values are written.',
              },
            },
          },
        ],
      },
    },
    rows: {
      type: 'array',
      items: {
        type: 'object',
        required: ['label', 'cells'],
        additionalProperties: false,
        properties: {
          label: { type: 'string' },
          cells: CELLS,
          paper: { ...CELLS, description: "The paper's numbers for the same columns." },
          each: { ...REFERENCE, description: 'A list: one row for each item, which cells name as ${each.FIELD}.' },
          line: { type: 'string', description: 'In a chart of lines: rows with the same name are one line.' },
        },
      },
    },
  },
};
