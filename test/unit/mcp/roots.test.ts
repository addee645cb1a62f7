/** Which folders are open: what the command line and the client name, each as a limit of the other. */
import assert from 'node:assert/strict';
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OptionError, UserError } from '../../../src/engine/errors';
import { ownRoots, Roots } from '../../../src/mcp/roots';
import { temporaryFolder } from '../../support/temporary';

const uris = (...paths: string[]): string[] => paths.map((path) => pathToFileURL(path).href);

describe('mcp: roots', () => {
  const top = realpathSync(temporaryFolder());
  const [work, models, inner] = ['work', 'models', 'work/inner'].map((name) => join(top, name));
  before(() => [work, models, inner].forEach((folder) => mkdirSync(folder, { recursive: true })));

  const open = (own: string[], clients: string[] | undefined, current = work): Promise<readonly string[]> =>
    new Roots(own, current, () => Promise.resolve(clients)).folders();
  const refused = (own: string[], clients: string[] | undefined, why: RegExp, current?: string): Promise<void> =>
    assert.rejects(open(own, clients, current), (error) => error instanceof UserError && why.test(error.message));

  it('are those of the command line, those of the client, or the current folder', async () => {
    assert.deepEqual(await open([models], undefined), [models]);
    assert.deepEqual(await open([models], []), [models]);
    assert.deepEqual(await open([], uris(models, inner)), [models, inner]);
    assert.deepEqual(await open([], undefined), [work]);
    assert.deepEqual(await open([], []), [work]);
  });

  it('are what is in both, if both are named', async () => {
    assert.deepEqual(await open([work, models], uris(inner)), [inner]);
    assert.deepEqual(await open([inner], uris(work, models)), [inner]);
    assert.deepEqual(await open([top], uris(work, models)), [work, models]);
    await refused([models], uris(work), /--root.*no folder in common/);
  });

  it('are never the whole disk without a word', async () => {
    await refused([], undefined, /the server runs in/, parse(top).root);
    assert.deepEqual(await open([], uris(work), parse(top).root), [work]);
  });

  it('count where a link leads, and only folders of this machine', async () => {
    symlinkSync(models, join(top, 'link'));
    assert.deepEqual(await open([], uris(join(top, 'link'))), [models]);
    assert.deepEqual(await open([work], ['https://example.com/work', ...uris(inner)]), [inner]);
    await refused([], ['vscode-remote://host/work', ...uris(join(top, 'missing'))], /no folders of this machine/);
    await refused([work], ['https://example.com/work'], /no folder in common/);
  });

  it('are asked for once, until they change or the client fails', async () => {
    let asked = 0;
    let answer: () => Promise<string[]> = () => Promise.resolve(uris(work));
    const roots = new Roots([], top, () => {
      asked++;
      return answer();
    });
    await Promise.all([roots.folders(), roots.folders()]);
    assert.equal(asked, 1);
    answer = () => Promise.reject(new Error('gone'));
    roots.forget();
    await assert.rejects(
      roots.folders(),
      (error) => error instanceof UserError && error.message.includes('did not say'),
    );
    answer = () => Promise.resolve(uris(models));
    assert.deepEqual(await roots.folders(), [models]);
    assert.equal(asked, 3);
  });

  it('of the command line are folders; one inside another adds nothing', async () => {
    assert.deepEqual(await ownRoots([inner, work, work]), [work]);
    writeFileSync(join(top, 'file'), '');
    for (const wrong of ['file', 'missing']) await assert.rejects(ownRoots([join(top, wrong)]), OptionError);
  });
});
