/** The page of an example in a project, in a real browser: it asks the model, and asks no other server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import type { OnnxTarget } from '../../src/engine/write/onnx/kinds';
import { projectFacts } from '../../src/engine/write/project/kinds';
import { projectModel } from '../../src/engine/write/project/model';
import { planExample } from '../../src/engine/write/project/plan';
import { writeExample } from '../../src/engine/write/project/write';
import { itWith, nodePackages, printed } from '../support/consumers';
import { writeOnnxFolder } from '../support/onnx-folder';
import { chatting, projectWith } from '../support/projects';
import { describeBrowser } from './support/browser';

const SAMPLE = 'media/sample';
const QUESTION = 'One day, a girl saw a cat.';
const COUNT = 8;
/** Two blocks are enough for a page. */
const REMOVED = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** With and without a chat template; both ways to run attention. */
const CASES: readonly (readonly [string, () => string, OnnxTarget, string, string])[] = [
  ['continues a text', () => SAMPLE, 'cpu', 'The text to continue', 'Continue'],
  ['answers a question in a conversation', () => chatting(SAMPLE), 'webgpu', 'Your question', 'Ask'],
];

describeBrowser('the page of an example in a project', (browser) => {
  let server: ChildProcess | undefined;
  after(() => server?.kill());

  for (const [title, source, target, label, button] of CASES) {
    itWith(nodePackages, title, async () => {
      const model = await writeOnnxFolder(await openCheckpoint(source()), REMOVED, { kinds: ['fp32'], target });
      const project = projectWith({ 'index.html': '' });
      const plan = await planExample(await projectFacts(project), await projectModel(model), { kind: 'browser' });
      await writeExample(plan);
      symlinkSync(nodePackages!, join(project, 'node_modules'), 'junction');
      server?.kill();
      server = spawn(process.execPath, [join(plan.folder, 'serve.mjs'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [address] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];

      const page = await browser().newPage();
      const hosts = new Set<string>();
      page.on('request', (request) => hosts.add(new URL(request.url()).origin));
      await page.goto(`${address}?device=wasm`);
      await page.getByText('Ready (wasm)').waitFor();
      await page.getByLabel(label).fill(QUESTION);
      await page.getByLabel('Tokens').fill(String(COUNT));
      await page.getByRole('button', { name: button }).click();
      await page.locator('button:not([disabled])').waitFor();
      const shown = await page.locator('output').textContent();
      await page.close();

      assert.deepEqual(
        [...hosts].filter((host) => host !== new URL(address).origin && host !== 'null'),
        [],
      );
      assert.equal(shown, await inNode(project, model));
    });
  }
});

/** What the example for Node writes. */
async function inNode(project: string, model: string): Promise<string> {
  const wish = { kind: 'node', out: join(project, 'other') } as const;
  await writeExample(await planExample(await projectFacts(project), await projectModel(model), wish));
  const file = join(project, 'question.mjs');
  const asked = `await ask(${JSON.stringify(QUESTION)}, { maxTokens: ${COUNT} })`;
  writeFileSync(file, `import { ask } from './other/ask.mjs';\nconsole.log(JSON.stringify(${asked}));\n`);
  return JSON.parse(printed(process.execPath, [file])) as string;
}
