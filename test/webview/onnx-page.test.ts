/** The page beside exported ONNX models, with its server, in a real browser: transformers.js from npm's package alone. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser } from 'playwright-core';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import type { OnnxKind, OnnxTarget } from '../../src/engine/write/onnx/kinds';
import { itWith, nodePackages, printed } from '../support/consumers';
import { writeOnnxFolder } from '../support/onnx-folder';
import { describeShared, full, shared } from '../support/shared';
import { describeBrowser } from './support/browser';

/** More than the 31 tokens up to which fused attention is right on WebGPU. */
const PROMPT =
  'Once upon a time, there was a little girl named Lily. She had a red ball. One day, she went to the park with her mom. ' +
  'They saw';
const COUNT = 30;

/** Rounded inputs differ a little from one program to another, so near ties fall otherwise after some tokens. */
const COUNT_ROUNDED = 8;

/** Kinds and targets, and where a page runs them. Browsers lack operators that onnxruntime has in Node. */
const CASES: readonly (readonly [OnnxKind, OnnxTarget, readonly string[], number])[] = [
  ['q8', 'cpu', ['wasm'], COUNT_ROUNDED],
  ['q4', 'webgpu', full ? ['wasm', 'webgpu'] : ['webgpu'], COUNT_ROUNDED],
  ...(full ? [['fp32', 'webgpu', ['wasm', 'webgpu'], COUNT] as const] : []),
];

/** What the page writes, and where it asked for files. */
async function continued(
  browser: Browser,
  address: string,
  device: string,
  count: number,
): Promise<{ text: string; hosts: string[] }> {
  const page = await browser.newPage();
  const hosts = new Set<string>();
  page.on('request', (request) => hosts.add(new URL(request.url()).origin));
  try {
    await page.goto(`${address}?device=${device}`);
    await page.getByText(`Ready (${device})`).waitFor();
    await page.getByLabel('The text to continue').fill(PROMPT);
    await page.getByLabel('Tokens').fill(String(count));
    await page.getByRole('button').click();
    await page.locator('button:not([disabled])').waitFor();
    return { text: (await page.locator('output').textContent()) ?? '', hosts: [...hosts] };
  } finally {
    await page.close();
  }
}

describeShared('the page of exported ONNX models', () => {
  describeBrowser(
    'in a browser',
    (browser) => {
      let server: ChildProcess | undefined;
      let address: string;

      const serve = async (kind: OnnxKind, target: OnnxTarget): Promise<string> => {
        const checkpoint = await openCheckpoint(shared('models/stories260K-bf16'));
        const folder = await writeOnnxFolder(checkpoint, [2], { kinds: [kind], target });
        if (nodePackages === undefined) return folder;
        symlinkSync(nodePackages, join(folder, 'examples', 'node_modules'), 'junction');
        const script = join(folder, 'examples', 'browser', 'serve.mjs');
        server?.kill();
        server = spawn(process.execPath, [script, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
        [address] = (await once(createInterface({ input: server.stdout! }), 'line')) as [string];
        return folder;
      };
      after(() => server?.kill());

      for (const [kind, target, devices, count] of CASES) {
        itWith(
          nodePackages,
          `writes in ${kind} for ${target} on ${devices.join(' and ')} what the example for Node writes, and asks no other server`,
          async () => {
            const folder = await serve(kind, target);
            const example = join(folder, 'examples/node-transformers.mjs');
            const expected = printed(process.execPath, [example, PROMPT, String(count)]);
            for (const device of devices) {
              const { text, hosts } = await continued(browser(), address, device, count);
              assert.equal(text, expected, device);
              const others = hosts.filter((host) => host !== new URL(address).origin && host !== 'null');
              assert.deepEqual(others, []);
            }
          },
        );
      }

      itWith(nodePackages, 'gives files of its folders only', async () => {
        const status = async (path: string): Promise<number> => (await fetch(new URL(path, address))).status;
        assert.equal(await status('/model/config.json'), 200);
        assert.equal(await status('/lib/transformers.min.js'), 200);
        for (const path of ['/model/..%2f..%2fetc/passwd', '/..%5c..%5cx', '/%', '/model/', '/none']) {
          assert.equal(await status(path), 404, path);
        }
      });
    },
    ['--enable-unsafe-webgpu'],
  );
});
