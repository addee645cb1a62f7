/** Where applications look for models: what a place is, and what would be written there. Planning writes nothing. */
import type { JobOptions } from '../engine/progress';
import type { JsonObject } from '../format/json';
import type { ModelKind, PlacedModel } from './model';

export const PLACE_NAMES = [
  'ollama',
  'lm-studio',
  'ai-toolkit',
  'foundry-local',
  'hugging-face',
  'llama-server',
] as const;
export type PlaceName = (typeof PLACE_NAMES)[number];

/** What a place is looked for by. */
export interface Around {
  readonly env: NodeJS.ProcessEnv;
  /** The user's home folder. */
  readonly home: string;
  /** The folder of the place, where the user names one. */
  readonly folder?: string;
}

/** The folder of the place or its program; or why it is not there, and what to do. */
export type Found = { readonly at: string } | Absent;

export interface Absent {
  readonly at?: undefined;
  /** "there is no folder ~/.aitk" */
  readonly why: string;
  /** A whole sentence. */
  readonly todo: string;
}

/** Places put models of one maker into one folder: those of Coppice are found, and told from downloads, by this one. */
export const PUBLISHER = 'coppice';

/** A file of a folder that is written. */
export type TreeFile = { readonly path: string } & (
  | { readonly file: string; readonly bytes: number }
  | { readonly text: string }
  /** A relative link, where the layout consists of links. */
  | { readonly link: string }
);

/** A new folder, which is complete or not there. */
export interface FolderChange {
  readonly kind: 'folder';
  readonly out: string;
  /** Paths below it, with "/". */
  readonly files: readonly TreeFile[];
}

/** A new task in a file of tasks of VS Code. */
export interface TaskChange {
  readonly kind: 'task';
  readonly file: string;
  readonly task: JsonObject & { readonly label: string };
}

/** A model that Ollama makes in its own store. */
export interface OllamaChange {
  readonly kind: 'ollama';
  readonly program: string;
  readonly modelfile: string;
}

export type Change = FolderChange | TaskChange | OllamaChange;

export interface Plan {
  readonly place: PlaceName;
  /** As the program shows it. */
  readonly name: string;
  readonly model: PlacedModel;
  readonly change: Change;
  /** What the user should know. */
  readonly notes: readonly string[];
  /** What runs the model there, in words or as a command. */
  readonly use: string;
  /** A command or a line of code, to copy. */
  readonly copies?: string;
}

/** What the user does where the program cannot be asked. */
export interface ByHand {
  /** A text, and the name that it is to be saved under. */
  readonly file: { readonly name: string; readonly text: string };
  readonly line: string;
}

export interface Place {
  readonly name: PlaceName;
  /** As its makers write it. */
  readonly title: string;
  /** What it loads. */
  readonly takes: ModelKind;
  /** Whether the user can name its folder. */
  readonly hasFolder: boolean;
  readonly find: (around: Around) => Promise<Found>;
  /**
   * @param at what was found
   * @throws UserError where the model cannot be added
   */
  readonly plan: (model: PlacedModel, at: string, name: string, job: JobOptions) => Promise<Omit<Plan, 'place'>>;
  readonly byHand?: (model: PlacedModel, name: string) => Promise<ByHand>;
}
