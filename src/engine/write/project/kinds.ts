/** What kind of project a folder is, by the files in it. */
import { namesIn } from '../../files/names';

export const PROJECT_KINDS = ['node', 'browser', 'python'] as const;
export type ProjectKind = (typeof PROJECT_KINDS)[number];

/** Files that only projects of a kind have; one of them is enough. */
export const MARKERS: Readonly<Record<ProjectKind, readonly string[]>> = {
  node: ['package.json'],
  browser: ['index.html'],
  python: ['pyproject.toml', 'requirements.txt', 'setup.py'],
};

/** As people write them. */
export const KIND_WORDS: Readonly<Record<ProjectKind, string>> = { node: 'Node', browser: 'browser', python: 'Python' };

/** What a folder says of itself. */
export interface ProjectFacts {
  /** Absolute. */
  readonly folder: string;
  /** Each with the file that says so; a folder can be of several kinds. */
  readonly kinds: readonly { readonly kind: ProjectKind; readonly file: string }[];
  /** It has a package.json, so packages are installed for all of it. */
  readonly hasPackages: boolean;
  /** It has a tsconfig.json. */
  readonly isTyped: boolean;
}

/** @param folder absolute; one that cannot be read has no kind */
export async function projectFacts(folder: string): Promise<ProjectFacts> {
  const names = new Set(await namesIn(folder));
  return {
    folder,
    kinds: PROJECT_KINDS.flatMap((kind) => {
      const file = MARKERS[kind].find((name) => names.has(name));
      return file === undefined ? [] : [{ kind, file }];
    }),
    hasPackages: names.has('package.json'),
    isTyped: names.has('tsconfig.json'),
  };
}
