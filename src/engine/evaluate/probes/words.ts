/** Words of the probes: common ones, which every tokenizer of English has in few tokens. */

export const THINGS = (
  'apple ball bell bird boat book box bread brick bridge brush bus cake candle card chair clock cloud coat coin cup desk ' +
  'dish door drum fish flag flower fork garden glass glove hammer hat horse house jar key kite knife ladder lamp leaf ' +
  'letter map milk mirror moon nail needle orange paper pear pen piano pillow plate river road roof rope rose salt shell ' +
  'ship shirt shoe soap spoon star stone stool table tent train tree wagon wall watch wheel window'
).split(' ');

export const NAMES = (
  'Adam Alice Anna Ben Carl Clara Daniel David Emma Eric Frank George Grace Hannah Helen Henry Jack James Jane John ' +
  'Julia Karen Kate Laura Leo Linda Lucy Maria Mark Martin Mary Michael Nina Oliver Oscar Paul Peter Rachel Rita Robert ' +
  'Rosa Ruth Sam Sarah Simon Sophie Thomas Tom Victor Walter'
).split(' ');

export const SURNAMES = (
  'Adams Baker Bell Brown Carter Clark Cook Cooper Davis Evans Fisher Foster Gray Green Hall Harris Hill Hunter Jackson ' +
  'King Lewis Martin Mason Miller Moore Morgan Parker Potter Reed Robinson Scott Smith Stone Taylor Turner Walker Ward ' +
  'Watson White Wilson Wood Wright Young'
).split(' ');

export const CITIES = (
  'Berlin Boston Cairo Chicago Dallas Delhi Dublin Geneva Lima Lisbon London Madrid Milan Moscow Munich Oslo Paris ' +
  'Prague Rome Seattle Sydney Tokyo Toronto Vienna Warsaw'
).split(' ');

export const COLORS = 'black blue brown gold green gray orange pink purple red silver white yellow'.split(' ');

export const MONTHS = 'January February March April May June July August September October November December'.split(
  ' ',
);
