/** The extension host never loads onnxruntime: the client's side of the sidecar reaches nothing that does. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../../..');

/** Modules of the repository in the bundle of `entry`. */
async function modulesOf(entry: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    external: ['onnxruntime-node'],
    logLevel: 'silent',
  });
  return Object.keys(metafile.inputs);
}

describe('sidecar: bundles', () => {
  it("the client's has no onnxruntime", async () => {
    const modules = await modulesOf('src/sidecar/client.ts');
    assert.ok(modules.includes('src/sidecar/supervisor.ts'));
    assert.ok(!modules.includes('src/engine/onnx/session.ts'));
  });

  it("the server's has", async () => {
    assert.ok((await modulesOf('src/sidecar/server.ts')).includes('src/engine/onnx/session.ts'));
  });
});
