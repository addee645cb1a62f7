/** JSON by a schema: the rest of an object, to the last bracket. Its fields and values are given, so one text is right. */
import type { Random } from '../../random';
import { QUESTIONS } from '../../../format/probes';
import { exactly, oneOf, type Probe, type ProbeItem, some, times } from './probe';
import { CITIES, COLORS, NAMES, THINGS } from './words';

export const json: Probe = {
  about: 'ends a JSON object as its schema asks, to the last bracket',
  chance: 0,
  items: (random) => times(QUESTIONS, () => object(random)),
};

/** A field of the schema: its type there, and a value. */
interface Field {
  readonly name: string;
  readonly type: unknown;
  readonly draw: (random: Random) => unknown;
}

const FIELDS: readonly Field[] = [
  { name: 'name', type: 'string', draw: (random) => oneOf(random, NAMES) },
  { name: 'age', type: 'integer', draw: (random) => 18 + random.below(60) },
  { name: 'city', type: 'string', draw: (random) => oneOf(random, CITIES) },
  { name: 'color', type: 'string', draw: (random) => oneOf(random, COLORS) },
  { name: 'open', type: 'boolean', draw: (random) => random.below(2) === 0 },
  { name: 'items', type: ['string'], draw: (random) => some(random, THINGS, 2) },
  {
    name: 'owner',
    type: { name: 'string', age: 'integer' },
    draw: (random) => ({ name: oneOf(random, NAMES), age: 18 + random.below(60) }),
  },
];

/** Two objects of one schema; of the second one the first field is there. With two examples small models do worse. */
function object(random: Random): ProbeItem {
  const fields = some(random, FIELDS, 3);
  const schema = jsonText(Object.fromEntries(fields.map(({ name, type }) => [name, type])));
  const [example, asked] = times(2, () => fields.map(({ name, draw }): [string, unknown] => [name, draw(random)]));
  const data = (values: readonly [string, unknown][]): string =>
    values.map(([name, value]) => `${name} = ${plain(value)}`).join('; ');
  const text = jsonText(Object.fromEntries(asked));
  // The first field is given: the model goes on behind its value.
  const given = jsonText(Object.fromEntries(asked.slice(0, 1))).slice(0, -1);
  const before = `Schema: ${schema}\n\nData: ${data(example)}\nJSON: ${jsonText(Object.fromEntries(example))}\n\n`;
  return exactly(`${before}Data: ${data(asked)}\nJSON: ${given}`, text.slice(given.length), '');
}

/** "Anna, 31" */
const plain = (value: unknown): string =>
  typeof value === 'object' && value !== null ? Object.values(value).map(String).join(', ') : String(value);

/** With blanks, as people write it: {"name": "Anna", "age": 31}. */
export function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${jsonText(each)}`);
  return `{${members.join(', ')}}`;
}
