/** Tables of the properties of a JSON Schema: of recipes, tasks files and agents' tools. */
import type { JsonSchema } from '../../src/jobs/schema';
import { code, codes, prose, sentence, table, valueText } from './page';

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;
const schemas = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);

/** The valid values, in words. @param definitions that `$ref` names */
export function valuesOf(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>> = {}): string {
  if (typeof schema.$ref === 'string')
    return valuesOf(definitions[schema.$ref.replace(/^.*\//, '')] ?? {}, definitions);
  const among = [...schemas(schema.anyOf), ...schemas(schema.oneOf)];
  if (among.length > 0) return [...new Set(among.map((each) => valuesOf(each, definitions)))].join(' or ');
  if (Array.isArray(schema.enum)) return `one of ${codes(schema.enum.map(String))}`;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.type === 'array')
    return `list${isSchema(schema.items) ? ` of ${valuesOf(schema.items, definitions)}` : ''}`;
  if (schema.type === 'string')
    return typeof schema.pattern === 'string' && schema.pattern.includes('\\$\\{') ? '`${…}`' : 'text';
  return [schema.type]
    .flat()
    .map(String)
    .join(' or ')
    .replace('integer', 'whole number')
    .replace('boolean', '`true` or `false`');
}

/** A row for each property of an object. */
export function propertyTable(schema: JsonSchema, definitions?: Readonly<Record<string, JsonSchema>>): string {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = Object.entries((schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>);
  return table(
    ['Field', 'Value', 'Meaning', 'Default'],
    properties.map(([name, property]) => [
      `${code(name)}${required.includes(name) ? ', required' : ''}`,
      valuesOf(property, definitions),
      typeof property.description === 'string' ? sentence(prose(property.description)) : '',
      valueText(property.default),
    ]),
  );
}
