/**
 * Texts of the demo for the user's models: one to score the blocks with, another to measure on, and the prompts. They
 * were written for this purpose. The sample model's texts are beside the model.
 */

export const PROMPTS = ['Once upon a time, there was', 'The best thing about the morning is'] as const;

export const STORY_PROMPTS = [
  'Once upon a time, there was a little girl named Lily.',
  'Tom and Sara found a big box in the garden.',
] as const;

export const CALIBRATION_TEXT = `\
The old mill stood where the river turned, and nobody in the village could say who had built it. Its wheel had not moved for thirty years, yet on quiet nights people claimed to hear it, slow and even, as if it were grinding something that was not corn.

Every spring the gardener walked along the hedge with his saw and cut the hazel back to the stump. Visitors thought it cruel. By the end of summer it had grown taller than before, and straighter, and he cut his bean poles from it.

A letter came on Tuesday with a stamp from a country that no longer exists. The postman turned it over twice before he put it into the box. Inside was a pressed flower and a receipt for two cups of coffee, paid in full.

When the ferry was late, the children counted gulls on the railing. The record was forty-one, and it was held by a boy who was thought to cheat, because he counted the same bird again whenever it had changed its place.

She kept her maps in a drawer that smelled of cedar. Some showed islands that had since been drowned, and one showed an island that had never been there, drawn with such care that two captains had gone out to look for it.

The baker lit his oven at three, long before the first lamp went on in the street. Bread, he said, is the only clock that never has to be wound, and if you are late by a quarter of an hour everybody can taste it.

Snow fell through the whole of the afternoon, and the road over the pass was closed at five. Two lorries waited at the barrier with their engines running. The drivers shared a loaf and talked about places where it never snows.

In the library the heating had failed again. The readers sat in their coats and turned the pages with their gloves on, and no one thought of going home, since the last chapter cannot be borrowed and has to be read there.

The committee met on the first Monday of each month and decided, after some discussion, to meet again. Once a proposal was made to repair the bridge. It was found that the bridge had been repaired already, by someone who was not a member.

A good soup begins the evening before. You put the beans into cold water, peel the onions and forget about both of them. What is done in a hurry in the morning will taste of hurry at noon, whatever you add to it.

The telescope on the roof belonged to the school, but the caretaker used it more than anyone. He knew the moons of Jupiter by name and was in the habit of wishing them good night, in the order in which they went down.

My uncle repaired radios until nobody had a radio any more, and then he repaired the chairs in which people had sat to listen to them. There is always something that is loose, he told me, you only have to sit down.

On market days the square was so full that the pigeons had to walk. A woman sold honey in three colours and would not say where the dark one came from. Her bees, she explained, had asked her to keep it to herself.

The first thing that the new engineer did was to switch off the alarm, and the second was to find out why it had been ringing. It took her four days. Behind the last panel a mouse had built a nest out of the old instructions.
`;

export const EVALUATION_TEXT = `\
In the morning the harbour was full of boats that had come in from the storm. Their nets hung over the rails to dry, and the men slept on deck in the sun with their hats on their faces, and nobody asked what they had seen.

The clockmaker had a rule: he never repaired a clock on the day on which it was brought. Most of them, he found, began to go again by themselves when they were left alone, and for those he charged only half of the price.

There was one street lamp on the hill, and it was lit only when the moon was not. From the valley it looked like a star that had lost its way, and strangers who did not know the place used to make a wish when they saw it.

Her grandfather had planted the orchard in rows, but the wind had its own opinion. After fifty years the trees leaned to the east, all of them, like people listening at a door, and the apples fell on the neighbour's side.

The train stopped between two stations, and for a while nobody spoke. Then somebody opened a window, and the smell of cut grass came in. A man put his newspaper away and said that he had not been late for eleven years.

At the end of the lesson the teacher wiped the board, put down the chalk and said that everything on it had been true, except for the last line. The class went home in silence and thought about it, which is what he had wanted.

The dog had been trained to find mushrooms and found umbrellas instead. In the course of one autumn it brought home nineteen of them, four in good order, and its master opened a small shop opposite the station.

Nobody remembered who had first put a chair out on the landing, but soon there were two, and then a table with a plant on it. By winter the whole house sat there in the evening, because it was the only place where the stairs were warm.

To paint a wall well you need patience and an old shirt. Begin at the window and work away from the light, never against it. Do not look at the wall for an hour after you have finished, for it will not have made up its mind.

The river had been straightened when my mother was a girl, and ever since it has tried to bend again. Each flood takes a little from the left bank and lays it down on the right, and each summer the council puts it back.

A parcel lay at the counter for three weeks before anyone noticed that it ticked. The whole street was cleared. It turned out to be a metronome, addressed to the music school, and it had kept perfect time from beginning to end.

The youngest of the sisters could not sing, so she was given the bells to ring. She rang them so well that people came from the next town to hear her, and the choir, which had been rather good, was asked to be a little quieter.
`;
