/** The checkpoint editor's page in a real browser, before the session that serves it in VS Code. */
import assert from 'node:assert/strict';
import { until } from '../support/until';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CancelledError, UserError } from '../../src/engine/errors';
import { temporaryFolder } from '../support/temporary';
import { writeTinyCheckpoint } from '../support/tiny-models';
import { layOutGguf, list, SOUND, text, value } from '../support/gguf-files';
import { full } from '../support/shared';
import { describeBrowser } from './support/browser';
import { type EditorPage, openFile, STATISTICS, type Statistics } from './support/open-editor';
import { buildPages, THEMES } from './support/page';
import { picture } from './support/picture';

/** Scrolls the tensor table. */
async function scrollTensors({ page }: EditorPage, top: number): Promise<void> {
  await page.evaluate(`document.querySelector('[role=grid][aria-label=Tensors]').scrollTop = ${top}`);
}

/** A model of `blocks` blocks with 10 tensors each, of a few bytes, and no data to speak of. */
function manyTensors(blocks: number): Buffer {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt', note: 'made for a test' } };
  let end = 0;
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 10; i++) {
      const name = `model.layers.${block}.${i < 5 ? 'self_attn' : 'mlp'}.part${i}.weight`;
      header[name] = { dtype: 'F16', shape: [i + 1, 2], data_offsets: [end, end + 4 * (i + 1)] };
      end += 4 * (i + 1);
    }
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(end)]);
}

describeBrowser('checkpoint editor', (browser) => {
  let folder: string;
  let model: string;
  let many: string;
  let broken: string;
  let gguf: string;

  before(() => {
    buildPages();
    folder = temporaryFolder();
    const toy = join(folder, 'toy');
    mkdirSync(toy);
    writeTinyCheckpoint(toy, 'llama-gqa-tied', { tokenizer: true });
    model = join(toy, 'model.safetensors');
    many = join(folder, 'many.safetensors');
    writeFileSync(many, manyTensors(1000));
    broken = join(folder, 'broken.safetensors');
    const bytes = manyTensors(3);
    writeFileSync(broken, Buffer.from(bytes.toString('latin1').replaceAll('F16', 'F61'), 'latin1'));
    gguf = join(folder, 'model.gguf');
    const tokens = list(
      'string',
      Array.from({ length: 400 }, (_, i) => text(`token${i}`)),
    );
    writeFileSync(
      gguf,
      layOutGguf({
        ...SOUND,
        metadata: [
          ...SOUND.metadata!.slice(0, 4),
          ['tokenizer.ggml.tokens', tokens],
          ['chat', value('string', text('{% if x %}\n<b>not markup</b>'))],
        ],
      }),
    );
  });

  it('says what the file is, with its config, its metadata and its blocks', async () => {
    const webview = await openFile(browser(), model);
    const { page } = webview;
    await page
      .getByText('Architecturellama')
      .or(page.getByText('llama', { exact: true }))
      .first()
      .waitFor();
    await page.getByRole('grid', { name: 'Configuration' }).getByText('num_hidden_layers').click();
    assert.match(
      (await page.getByRole('region', { name: 'Configuration: value' }).textContent()) ?? '',
      /num_hidden_layers/,
    );
    await page.getByRole('grid', { name: 'Metadata' }).getByText('format').waitFor();
    assert.ok((await page.locator('.strip-piece').count()) > 3);
    await picture(webview.page, 'editor-page-model');
    await webview.close();
  });

  it('leads from “Can be pruned” to what can be done with the model, and says why nothing can', async () => {
    const opened = await openFile(browser(), model);
    const { page, acted } = opened;
    await page.getByRole('link', { name: 'Yes' }).click();
    assert.equal(await page.locator('.actions vscode-button:focus').textContent(), 'Score Blocks…');
    await page.keyboard.press('Enter');
    for (const name of ['Open Results', 'Reveal in Coppice View']) await page.getByRole('button', { name }).click();
    await until('all were asked for', () => acted.length === 3);
    assert.deepEqual(acted, ['score', 'results', 'reveal']);
    await opened.close();
    const other = await openFile(browser(), broken);
    await other.page.locator('.actions').getByText('Cannot be pruned: it is damaged or incomplete.').waitFor();
    assert.equal(await other.page.locator('.actions vscode-button[disabled]').count(), 3);
    await other.close();
  });

  it('has a strip whose lengths are bytes, with keys and a filter behind each piece', async () => {
    const webview = await openFile(browser(), model);
    const { page } = webview;
    const widths = await page.evaluate<number[]>(
      "[...document.querySelectorAll('.strip-piece .edge')].map((edge) => Number(edge.getAttribute('width')))",
    );
    assert.ok(Math.abs(widths.reduce((sum, width) => sum + width, 0) - 1000) < 1e-6);
    await page.locator('.strip-piece').first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    assert.match((await page.locator('.strip-readout').textContent()) ?? '', /^Block 1: .*Attention .*FFN/);
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ of \d+ tensors$/).waitFor();
    const names = await page
      .getByRole('grid', { name: 'Tensors' })
      .locator('.table-body [role=gridcell]:first-child')
      .allTextContents();
    assert.ok(names.length > 0 && names.every((name) => name.startsWith('model.layers.1.')));
    await webview.close();
  });

  it('shows 10,000 tensors and never more than 200 rows of them', async () => {
    const webview = await openFile(browser(), many);
    const { page } = webview;
    const grid = page.getByRole('grid', { name: 'Tensors' });
    await page.getByText('10,000 tensors').waitFor();
    const rows = page.locator('[role=row]');
    for (const top of [0, 5_000, 123_456, 10_000_000]) {
      const shown = await grid.textContent();
      await scrollTensors(webview, top);
      if (top > 0) await until('the rows of another place', async () => (await grid.textContent()) !== shown);
      assert.ok((await rows.count()) <= 200, `${await rows.count()} rows`);
    }
    await grid.getByText('model.layers.999.mlp.part9.weight').waitFor();
    assert.ok(webview.received('rows').every(({ start, end }) => end - start <= 100));
    await webview.close();
  });

  it('sorts and filters through the host', async () => {
    const webview = await openFile(browser(), many);
    const { page } = webview;
    const grid = page.getByRole('grid', { name: 'Tensors' });
    const first = grid.locator('.table-body .table-row').first();
    await grid.getByRole('button', { name: 'Size' }).click();
    await grid.getByRole('button', { name: 'Size' }).click();
    await first.getByText('40 B').waitFor();
    assert.equal(await grid.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort'), 'descending');
    await page.getByRole('textbox', { name: 'Filter' }).fill('block:12 part:ffn');
    await page.getByText('5 of 10,000 tensors').waitFor();
    await first.getByText('model.layers.12.mlp.part9.weight').waitFor();
    await page.getByRole('textbox', { name: 'Filter' }).fill('no such tensor');
    await page.getByText('0 of 10,000 tensors').waitFor();
    assert.equal(await grid.locator('.table-body .table-row').count(), 0);
    await page.getByRole('textbox', { name: 'Filter' }).fill('dtype:f16 part3');
    await page.getByText('1,000 of 10,000 tensors').waitFor();
    await webview.close();
  });

  it('moves by keys, copies a row, a name and the table', async () => {
    const webview = await openFile(browser(), many);
    const { page, copied } = webview;
    const grid = page.getByRole('grid', { name: 'Tensors' });
    await grid.getByText('model.layers.0.self_attn.part0.weight').waitFor();
    await grid.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Control+c');
    assert.equal(copied.at(-1)?.split('\t')[0], 'model.layers.0.self_attn.part1.weight');
    const active = await grid.getAttribute('aria-activedescendant');
    assert.equal(await page.locator(`#${active}`).getAttribute('aria-selected'), 'true');
    await page.keyboard.press('End');
    await grid.getByText('model.layers.999.mlp.part9.weight').waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('PageDown');
    await page.getByRole('textbox', { name: 'Filter' }).fill('block:7');
    await page.getByText('10 of 10,000').waitFor();
    await page.getByRole('button', { name: 'Copy Table' }).click();
    await until('the table is copied', () => copied.length > 0);
    assert.equal(copied.at(-1)?.split('\n').length, 11);
    await webview.close();
  });

  it('gives statistics on demand, with failure, cancelling and another try', async () => {
    const answers: Statistics[] = [
      (_tensor, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new CancelledError()))),
      () => Promise.reject(new UserError('No statistics', 'the disk failed', 'Try again.')),
      () => Promise.resolve(STATISTICS),
    ];
    const webview = await openFile(browser(), model, {
      statistics: (tensor, signal) => answers.shift()!(tensor, signal),
    });
    const { page } = webview;
    await page.getByRole('grid', { name: 'Tensors' }).getByText('model.layers.0.mlp.up_proj.weight').click();
    await page.getByRole('button', { name: 'Show Statistics' }).click();
    await page.getByText('Reading values').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Show Statistics' }).click();
    await page.getByText('the disk failed').waitFor();
    await page.getByRole('button', { name: 'Try Again' }).click();
    await page.getByText('Standard deviation').waitFor();
    assert.equal(await page.locator('.bar').count(), 64);
    assert.match((await page.getByRole('img').getAttribute('aria-label')) ?? '', /64 bins from -0\.5 to 0\.5/);
    await webview.checkAccessibility();
    await picture(webview.page, 'editor-page-statistics');
    await webview.close();
  });

  it('comes back as it was', async () => {
    const webview = await openFile(browser(), many);
    await webview.page.getByRole('textbox', { name: 'Filter' }).fill('part2');
    await webview.page.getByText('1,000 of 10,000').waitFor();
    const grid = webview.page.getByRole('grid', { name: 'Tensors' });
    await scrollTensors(webview, 12_000);
    await grid.getByText('model.layers.502.').click();
    await webview.page.getByRole('button', { name: 'Show Statistics' }).click();
    await webview.page.getByText('Standard deviation').waitFor();
    await until('the page keeps its state', () => JSON.stringify(webview.state ?? null).includes('502'));
    const { state } = webview;
    await webview.close();
    const again = await openFile(browser(), many, { state });
    await again.page.getByText('1,000 of 10,000').waitFor();
    await again.page.getByRole('grid', { name: 'Tensors' }).getByText('model.layers.502.').waitFor();
    assert.equal(await again.page.getByRole('textbox', { name: 'Filter' }).inputValue(), 'part2');
    await again.page.getByText('Standard deviation').waitFor();
    await again.close();
  });

  it('lists every problem of a broken file with field and place', async () => {
    const webview = await openFile(browser(), broken);
    const { page } = webview;
    await page.getByRole('heading', { name: '30 problems' }).waitFor();
    const item = page.getByRole('listitem').filter({ hasText: 'model.layers.1.mlp.part7.weight' });
    assert.match((await item.textContent()) ?? '', /Error.*"F61" is not a type.*field tensor .*dtype.*byte \d/);
    await picture(webview.page, 'editor-page-broken');
    await webview.close();
  });

  it('shows the file anew when it changes', async () => {
    const file = join(folder, 'changing.safetensors');
    writeFileSync(file, manyTensors(2));
    const webview = await openFile(browser(), file);
    await webview.page.getByText('20 tensors').waitFor();
    writeFileSync(file, 'version https://git-lfs.github.com/spec/v1');
    await webview.session.refresh();
    await webview.page.getByText('Git LFS pointer').waitFor();
    await webview.close();
  });

  it('shows GGUF metadata as text, never as markup', async () => {
    const webview = await openFile(browser(), gguf);
    const { page } = webview;
    await page.getByText('GGUF version 3').waitFor();
    await page.getByRole('grid', { name: 'Metadata' }).getByText('400 × string').waitFor();
    await page.getByRole('grid', { name: 'Metadata' }).getByText('chat', { exact: true }).click();
    await page.locator('pre', { hasText: '<b>not markup</b>' }).waitFor();
    assert.equal(await page.locator('b').count(), 0);
    await page.getByRole('grid', { name: 'Tensors' }).getByText('token_embd.weight').click();
    await page.getByRole('button', { name: 'Show Statistics' }).waitFor();
    await picture(webview.page, 'editor-page-gguf');
    await webview.close();
  });

  it('fits a narrow window', async () => {
    const webview = await openFile(browser(), model, { width: 300 });
    assert.ok(await webview.page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'));
    await picture(webview.page, 'editor-page-narrow');
    await webview.close();
  });

  for (const theme of THEMES) {
    it(`has no accessibility violation in ${theme}`, async () => {
      // Pages of all kinds have the same colors.
      const others =
        theme === 'dark' || full
          ? [
              [broken, 'broken'],
              [gguf, 'gguf'],
            ]
          : [];
      for (const [file, name] of [[model, 'model'], ...others]) {
        const webview = await openFile(browser(), file, { theme });
        if (file !== broken) {
          await webview.page.getByRole('grid', { name: 'Tensors' }).locator('.table-body .table-row').first().click();
        }
        await webview.checkAccessibility();
        await picture(webview.page, `editor-page-${name}-${theme}`);
        await webview.close();
      }
    });
  }
});
