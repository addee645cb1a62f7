/**
 * Refusing to end: an answer of one line, as the lines before it. It ends with its line or with the end of the text; a model
 * that goes on and on has lost more than words.
 */
import { type Probe, some, times } from './probe';

const TEXTS = 16;
/** Several times what such a line has. */
const TOKENS = 48;

export const end: Probe = {
  about: `ends a line within ${TOKENS} tokens, as the lines before it do`,
  chance: 0,
  items: (random) =>
    times(TEXTS, () => {
      const [asked, ...examples] = some(random, LINES, 4);
      const lines = examples.map(([thing, sentence]) => `${thing}: ${sentence}\n`);
      return { prompt: `${lines.join('')}${asked[0]}:`, expected: [], match: 'ends', until: ['\n'], maxTokens: TOKENS };
    }),
};

const LINES: readonly (readonly [string, string])[] = [
  ['Bread', 'Food that is made of flour and water and baked in an oven.'],
  ['Bridge', 'A road that goes over a river or a valley.'],
  ['Candle', 'A stick of wax that gives light when it burns.'],
  ['Clock', 'A thing on the wall that tells the time.'],
  ['Garden', 'A piece of land where people grow flowers and vegetables.'],
  ['Hammer', 'A tool that drives nails into wood.'],
  ['Horse', 'A large animal that can carry a rider.'],
  ['Island', 'Land with water on every side.'],
  ['Ladder', 'Two long poles with steps between them.'],
  ['Lamp', 'A thing that gives light in a dark room.'],
  ['Library', 'A building where people read and borrow books.'],
  ['Map', 'A drawing that shows where places are.'],
  ['Mirror', 'A piece of glass in which people see themselves.'],
  ['Mountain', 'A very high hill, often with snow on its top.'],
  ['Needle', 'A thin piece of metal for sewing.'],
  ['Piano', 'A large instrument with black and white keys.'],
  ['River', 'Water that flows through the land to the sea.'],
  ['School', 'A place where children learn to read and write.'],
  ['Ship', 'A large boat that carries people and goods over the sea.'],
  ['Soap', 'Something to wash the hands with.'],
  ['Spoon', 'A small bowl with a handle, for eating soup.'],
  ['Train', 'A row of wagons that runs on rails.'],
  ['Umbrella', 'Something that keeps the rain off.'],
  ['Window', 'An opening in a wall that lets light in.'],
];
