/** JSON Schema (draft 2020-12) of a job's options and of its result, for agents, recipes and programs. */
import { type OptionNaming, renderOptions } from '../engine/option-token';
import { NUMBER_NAMES } from '../format/json';
import type { AnyJob } from './define';
import type { ValueKind, Option } from './option';
import type { Field } from './result';

/** A JSON Schema, as an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Schema of an object of options. @param naming of its readers */
export function schemaOf(job: AnyJob, naming: OptionNaming): JsonSchema {
  const shown = Object.entries(job.options).filter(([, { hidden }]) => !hidden);
  const required = shown.filter(([, option]) => option.required && option.unless === undefined).map(([name]) => name);
  return {
    $schema: DIALECT,
    title: job.kind,
    description: renderOptions(job.description, naming),
    type: 'object',
    properties: Object.fromEntries(shown.map(([name, option]) => [name, propertyOf(option, naming)])),
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

const propertyOf = ({ kind, help, default: usual }: Option, naming: OptionNaming): JsonSchema => ({
  ...typeOf(kind),
  description: renderOptions(help, naming),
  ...(usual !== undefined && { default: usual }),
});

/** Schema of an option's values. */
export function typeOf(kind: ValueKind): JsonSchema {
  switch (kind.kind) {
    case 'text':
    case 'path':
      return { type: 'string' };
    case 'flag':
      return { type: 'boolean' };
    case 'whole':
      return { type: 'integer', minimum: kind.min, ...(kind.max !== undefined && { maximum: kind.max }) };
    case 'number': {
      if (kind.words) return { anyOf: [typeOf({ ...kind, words: undefined }), { type: 'string', enum: kind.words }] };
      return {
        type: 'number',
        ...(kind.above !== undefined && { exclusiveMinimum: kind.above }),
        ...(kind.min !== undefined && { minimum: kind.min }),
        ...(kind.below !== undefined && { exclusiveMaximum: kind.below }),
        ...(kind.max !== undefined && { maximum: kind.max }),
      };
    }
    case 'choice':
      return { type: 'string', enum: kind.choices };
    case 'blocks':
      return { type: 'array', items: { type: 'integer', minimum: 0 } };
    case 'parts':
      return {
        type: 'array',
        items: {
          anyOf: [
            { type: 'integer', minimum: 0 },
            { type: 'string', pattern: '^\\d+\\.(attention|ffn)$' },
          ],
        },
      };
    case 'bytes':
    case 'parameters':
      return { type: 'integer', minimum: 1 };
    case 'data':
      return {};
    case 'models':
      return { type: 'array', minItems: 1, items: MODEL };
    case 'list':
      return {
        type: 'array',
        items: typeOf(kind.of),
        ...(kind.length !== undefined && { minItems: kind.length, maxItems: kind.length }),
      };
  }
}

const MODEL: JsonSchema = {
  type: 'object',
  properties: {
    label: { type: 'string' },
    checkpoint: { type: 'string' },
    remove: typeOf({ kind: 'parts' }),
    width: { type: 'string' },
    heal: { type: 'string' },
    adapter: { type: 'string' },
    otherBase: { type: 'boolean' },
  },
  required: ['label', 'checkpoint'],
  additionalProperties: false,
};

/** Schema of what `--json` prints. */
export const resultSchemaOf = ({ kind, result }: AnyJob): JsonSchema => ({
  $schema: DIALECT,
  title: `result of ${kind}`,
  ...fieldSchema(result),
});

function fieldSchema(field: Field): JsonSchema {
  const { words, unit, better, nullable } = field;
  const own = valuesOf(field);
  const more = [unit, better && `${better} is better`].filter((each) => each !== undefined);
  return {
    ...(nullable ? { anyOf: [own, { type: 'null' }] } : own),
    description: more.length === 0 ? words : `${words} (${more.join('; ')})`,
  };
}

function valuesOf({ kind }: Field): JsonSchema {
  switch (kind.kind) {
    case 'number':
      return { type: 'number' };
    case 'real':
      return { anyOf: [{ type: 'number' }, { enum: NUMBER_NAMES }] };
    case 'whole':
      return { type: 'integer' };
    case 'text':
      return { type: 'string', ...(kind.choices && { enum: kind.choices }) };
    case 'flag':
      return { type: 'boolean' };
    case 'part':
      return { type: ['integer', 'string'] };
    case 'list':
      return {
        type: 'array',
        items: fieldSchema(kind.of),
        ...(kind.length !== undefined && { minItems: kind.length, maxItems: kind.length }),
      };
    case 'either':
      return { anyOf: kind.of.map(fieldSchema) };
    case 'shape': {
      const required = Object.entries(kind.fields).filter(([, { optional }]) => !optional);
      return {
        type: 'object',
        properties: Object.fromEntries(Object.entries(kind.fields).map(([name, each]) => [name, fieldSchema(each)])),
        ...(required.length > 0 && { required: required.map(([name]) => name) }),
        additionalProperties: false,
      };
    }
  }
}
