/**
 * The stories that the sample model learns from, as documents.
 *
 * The texts come as plain files without marks between the stories, in two layouts: in one a story follows the last on the
 * next line and its paragraphs are set apart by blank lines; in the other everything is set apart by blank lines. The last
 * tenth of each file is held out of everything: of the tokenizer's training as of the model's.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repairText } from './repair';

export interface StoryFile {
  /** Name of the file, without its folder. */
  readonly name: string;
  /** SHA-256 (hex) of the file as it lies. */
  readonly sha256: string;
  /** Stories that may be learnt from, in the file's order. */
  readonly train: readonly string[];
  /** Stories in the file's last tenth. */
  readonly heldOut: readonly string[];
}

/** Share of each file, counted in characters from its end, that nothing learns from. */
const HELD_OUT = 0.1;

/** A file of this name says where the texts come from. */
const ABOUT = 'SOURCE.txt';

/** Reads every `.txt` file of `folder`, in the order of their names. Throws when there is none. */
export function readStories(folder: string): StoryFile[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.txt') && name !== ABOUT)
    .sort();
  if (names.length === 0) throw new Error(`${folder} has no .txt file with stories`);
  return names.map((name) => readStoryFile(folder, name));
}

function readStoryFile(folder: string, name: string): StoryFile {
  const bytes = readFileSync(join(folder, name));
  const documents = splitStories(repairText(bytes.toString('utf8')));
  const cut = heldOutFrom(documents);
  return {
    name,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    train: documents.slice(0, cut),
    heldOut: documents.slice(cut),
  };
}

/** Index of the first story that reaches into the last tenth: a story across the border is held out whole. */
function heldOutFrom(documents: readonly string[]): number {
  const total = documents.reduce((sum, document) => sum + document.length, 0);
  let position = 0;
  return documents.findIndex((document) => (position += document.length) > total * (1 - HELD_OUT));
}

/** How stories of this manner begin. */
const OPENING = new RegExp(
  [
    String.raw`Once,? (upon|there|in|a|an|two|three)\b`,
    String.raw`(There once|In a|Long ago)\b`,
    String.raw`There (was|were|lived) (once|a|an|two)\b.* named\b`,
    String.raw`One (\w+ )?(day|morning|night|evening|afternoon),? (a|an|there|two|three)\b`,
    String.raw`\w+ and \w+ (are|were|is|was|like|liked|love|loved)\b`,
    String.raw`\w+ (likes?|liked|loves?|loved) to\b`,
    String.raw`\w+ (is|was) an? `,
  ].join('|'),
  'y',
);

/** A line that goes on with what was said before: speech, or somebody who speaks or does something in answer. */
const CONTINUATION =
  /^["' ]|^(The |His |Her )?(\w+ ){1,2}(said|says|smiled|nodded|asked|replied|answered|laughed|agreed|shouted|looked)\b/;

/** The stories of `text`, none empty. Where the guess is wrong two stories are one, or one is two; both are rare. */
function splitStories(text: string): string[] {
  const lines = text.split('\n');
  const tight = storiesFollowOnNextLine(lines);
  const stories: string[][] = [[]];
  lines.forEach((line, i) => {
    const story = stories.at(-1)!;
    const before = lines[i - 1] ?? '';
    const begins = opens(line) || (before !== '' ? tight && endsSentence(before) && !CONTINUATION.test(line) : false);
    if (line !== '' && (begins || lastWord(story) === 'The end.') && !isShort(story)) stories.push([line]);
    else story.push(line);
  });
  return stories.map((story) => story.join('\n').trim()).filter((story) => story !== '');
}

/** Whether most stories of a file begin right after the line before, not after a blank line. */
function storiesFollowOnNextLine(lines: readonly string[]): boolean {
  const openings = lines.flatMap((line, i) => (i > 0 && line.startsWith('Once upon a time') ? [lines[i - 1]] : []));
  return openings.filter((before) => before !== '').length > openings.length / 2;
}

function opens(line: string): boolean {
  OPENING.lastIndex = 0;
  return OPENING.test(line);
}

/** An opening phrase within the first sentences of a story does not begin another. */
function isShort(story: readonly string[]): boolean {
  return story.join('\n').length < 240;
}

function lastWord(story: readonly string[]): string | undefined {
  return story.findLast((line) => line !== '')?.match(/The end\.$/)?.[0];
}

function endsSentence(line: string): boolean {
  return /[.!?]["']?$/.test(line);
}
