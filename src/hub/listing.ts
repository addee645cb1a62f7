/**
 * What a server of models says of the files of a model. Names, digests and revisions become paths in the user's cache, so
 * each has to have its form before any path is made of it.
 */

/** A file of a model. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Digest of the content: SHA-256 of large files, Git's of small ones. */
  readonly sha256?: string;
  readonly gitSha1?: string;
}

const SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** No folder, no drive, and nothing that a terminal or a system takes for more than a name. */
// eslint-disable-next-line no-control-regex
const NAME = /^[^\\/:\0-\x1f\x7f]{1,200}$/;

/** Whether it is the name of a commit. */
export const isRevision = (sha: unknown): sha is string => typeof sha === 'string' && SHA1.test(sha);

/** An entry of a listing as the server gives it. */
export interface Entry {
  readonly path: string;
  readonly size: number;
  readonly oid?: string;
  readonly lfs?: { readonly oid: string; readonly size: number };
}

/** @returns undefined for an entry that no repository has */
export function fileOf({ path, size, oid, lfs }: Entry): HubFile | undefined {
  const bytes: unknown = lfs ? lfs.size : size;
  if (typeof path !== 'string' || !NAME.test(path) || !isSize(bytes)) return undefined;
  if (lfs) return isText(lfs.oid, SHA256) ? { path, bytes, sha256: lfs.oid } : undefined;
  return isText(oid, SHA1) ? { path, bytes, gitSha1: oid } : undefined;
}

const isSize = (bytes: unknown): bytes is number => Number.isSafeInteger(bytes) && (bytes as number) >= 0;
const isText = (text: unknown, form: RegExp): text is string => typeof text === 'string' && form.test(text);

/** The file as the library asks the server for it again; so it takes the digest that was checked, and no other. */
export const entryOf = ({ path, bytes, sha256, gitSha1 }: HubFile): object => ({
  type: 'file',
  path,
  size: bytes,
  ...(sha256 === undefined ? { oid: gitSha1 } : { oid: sha256, lfs: { oid: sha256, size: bytes, pointerSize: 0 } }),
});
