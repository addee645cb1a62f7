/** What is written to a place, as `coppice add-to` shows it. */
import { formatBytes } from '../../format/numbers';
import { counted } from '../../format/words';
import type { Change, Place, Plan } from '../../places/place';
import type { Shell } from '../execute';

export function changeLines({ change }: Pick<Plan, 'change'>, verb: string, { shown }: Pick<Shell, 'shown'>): string[] {
  const label = verb.padEnd(12);
  switch (change.kind) {
    case 'folder':
      return [
        `${label} ${shown(change.out)} (${counted(change.files.length, 'file')}, ${formatBytes(bytesOf(change))})`,
        ...change.files.map((each) => `${' '.repeat(13)}${shown(each.path)}`),
      ];
    case 'task':
      return [`${label} ${shown(change.file)}: the task “${shown(change.task.label)}”`];
    case 'ollama':
      return [`${label} into Ollama's own store, from this Modelfile:`, ...indented(change.modelfile).map(shown)];
  }
}

const indented = (text: string): string[] =>
  text
    .trim()
    .split('\n')
    .map((line) => `${' '.repeat(13)}${line}`);

function bytesOf({ files }: Extract<Change, { kind: 'folder' }>): number {
  return files.reduce(
    (sum, each) => sum + ('file' in each ? each.bytes : 'text' in each ? Buffer.byteLength(each.text) : 0),
    0,
  );
}

export function changeJson(change: Change): object {
  switch (change.kind) {
    case 'folder':
      return { out: change.out, files: change.files.map(({ path }) => path), bytes: bytesOf(change) };
    case 'task':
      return { file: change.file, task: change.task };
    case 'ollama':
      return { program: change.program, modelfile: change.modelfile };
  }
}

/** A task goes to the folder in which the user is. */
export const folderFor = ({ name }: Place, { folder }: { readonly folder?: string }): string | undefined =>
  folder ?? (name === 'llama-server' ? process.cwd() : undefined);
