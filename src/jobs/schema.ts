/** JSON Schema (draft 2020-12) of a job's options, for agents and recipes. */
import { type OptionNaming, renderOptions } from '../engine/option-token';
import type { AnyJob } from './define';
import type { ValueKind, Option } from './option';

/** A JSON Schema, as an object. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Schema of an object of options. @param naming of its readers */
export function schemaOf(job: AnyJob, naming: OptionNaming): JsonSchema {
  const shown = Object.entries(job.options).filter(([, { hidden }]) => !hidden);
  const required = shown.filter(([, option]) => option.required).map(([name]) => name);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
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
