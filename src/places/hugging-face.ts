/**
 * The cache of Hugging Face, as huggingface_hub lays it out: models--OWNER--NAME with blobs/DIGEST, snapshots/REVISION of links to
 * them, and refs/main, which names the revision. Without links, as on Windows, the files are in the snapshot itself.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { hashFile } from '../engine/files/regular-file';
import type { JobOptions } from '../engine/progress';
import { hubCacheFolder, hubHome } from '../hub/cache';
import { l10n } from '../l10n';
import { folderThere } from './folder-there';
import { type Place, PUBLISHER, type TreeFile } from './place';
import type { ModelFile } from './model-file';

export const huggingFace: Place = {
  name: 'hugging-face',
  title: 'Hugging Face',
  takes: 'checkpoint',
  hasFolder: true,
  find(around) {
    const env: NodeJS.ProcessEnv = { XDG_CACHE_HOME: join(around.home, '.cache'), ...around.env };
    const words = {
      title: 'Hugging Face',
      todo: l10n.t('Install transformers (`pip install transformers`), which makes it; or name a folder.'),
    };
    const sign = env.HF_HUB_CACHE ?? env.HUGGINGFACE_HUB_CACHE ?? hubHome(env);
    return folderThere(around, hubCacheFolder(env), sign, words);
  },
  async plan(model, at, name, job) {
    const id = `${PUBLISHER}/${name}`;
    return {
      name: id,
      model,
      change: {
        kind: 'folder',
        out: join(at, `models--${PUBLISHER}--${name}`),
        files: snapshotOf(await digestsOf(model.files, job), process.platform !== 'win32'),
      },
      notes: [
        l10n.t(
          'There is no repository of this name to ask, so set HF_HUB_OFFLINE=1 or pass local_files_only=True when you load it.',
        ),
      ],
      use: `AutoModelForCausalLM.from_pretrained('${id}', local_files_only=True)`,
      copies: `AutoModelForCausalLM.from_pretrained('${id}', local_files_only=True)`,
    };
  },
};

interface Digested extends ModelFile {
  readonly sha256: string;
}

async function digestsOf(files: readonly ModelFile[], job: JobOptions): Promise<Digested[]> {
  const digested: Digested[] = [];
  for (const file of files) digested.push({ ...file, sha256: await hashFile(file.file, undefined, job) });
  return digested;
}

/** @param links whether the file system of this machine has links for everyone */
export function snapshotOf(files: readonly Digested[], links: boolean): TreeFile[] {
  const listing = files.map(({ path, sha256 }) => `${path} ${sha256}`).sort();
  const revision = createHash('sha1').update(listing.join('\n')).digest('hex');
  const snapshot = `snapshots/${revision}`;
  const blobs = new Map(files.map(({ sha256, file, bytes }) => [sha256, { path: `blobs/${sha256}`, file, bytes }]));
  const named = files.map(({ path, sha256, file, bytes }): TreeFile => {
    const up = '../'.repeat(path.split('/').length + 1);
    return { path: `${snapshot}/${path}`, ...(links ? { link: `${up}blobs/${sha256}` } : { file, bytes }) };
  });
  return [...(links ? blobs.values() : []), ...named, { path: 'refs/main', text: revision }];
}
