/** Open from Hugging Face…: models of the cache, and a download from a server that answers as huggingface.co does. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator } from 'playwright-core';
import * as vscode from 'vscode';
import { answer, hubFiles, ID, REVISION } from '../../support/hub';
import { clearWorkspace, coppice, EXTENSION_ID, inWorkspace, run } from '../support/coppice';
import { Window } from '../support/window';

describe('models of Hugging Face', () => {
  let window: Window;
  let server: Server;
  const outside = { cache: process.env.HF_HUB_CACHE, endpoint: process.env.HF_ENDPOINT };

  before(async () => {
    window = await Window.connect();
    await clearWorkspace();
    const files = hubFiles(join(vscode.extensions.getExtension(EXTENSION_ID)!.extensionPath, 'media/sample'));
    server = createServer((request, response) => answer(files, request, response));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    mkdirSync(inWorkspace('.hub'), { recursive: true });
    process.env.HF_HUB_CACHE = inWorkspace('.hub');
    process.env.HF_ENDPOINT = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    if (outside.cache === undefined) delete process.env.HF_HUB_CACHE;
    else process.env.HF_HUB_CACHE = outside.cache;
    if (outside.endpoint === undefined) delete process.env.HF_ENDPOINT;
    else process.env.HF_ENDPOINT = outside.endpoint;
    server.close();
    const { library } = await coppice();
    await library.close(library.entries().map(({ path }) => path));
    await clearWorkspace();
    await window.disconnect();
  });

  it('are downloaded by name into the cache, and open', async () => {
    const { usable, checkpoint } = await run<{ usable: boolean; checkpoint: string }>('openFromHub', { model: ID });
    assert.equal(usable, true);
    assert.equal(checkpoint, inWorkspace('.hub', 'models--someone--stories', 'snapshots', REVISION));
    await treeLine().waitFor();
  });

  it('are offered from the cache without the network', async () => {
    const { library } = await coppice();
    await library.close(library.entries().map(({ path }) => path));
    server.close();
    server.closeAllConnections();
    await window.command('Coppice: Open from Hugging Face…');
    const list = window.page.locator('.quick-input-list');
    await list.getByText(ID).waitFor();
    await window.screenshot('hub-cache');
    await window.page.keyboard.type('other/model');
    await list.getByText('Look up other/model').waitFor();
    await window.page.keyboard.press('ControlOrMeta+a');
    await window.page.keyboard.press('Delete');
    await list.getByText(ID).click();
    await treeLine().waitFor();
  });

  const treeLine = (): Locator => window.page.getByRole('treeitem', { name: ID });
});
