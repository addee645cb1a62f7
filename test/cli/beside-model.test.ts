/** Code that lies beside a model, or in the current folder, never runs: not even where other programs are asked for. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtProgram, coppice } from '../support/built-cli';
import { makeCliMaterial, readJson, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const PYTHON = ['onnxruntime_genai.py', 'json.py', 'site.py', 'sitecustomize.py', 'usercustomize.py'];
const PACKAGES = ['@huggingface/transformers', 'node-llama-cpp'];

describe('command line: code beside the model', function () {
  this.timeout(60_000);
  let model: string;
  let folder: string;
  let gguf: string;
  let onnx: string;

  before(async () => {
    ({ model } = makeCliMaterial());
    folder = temporaryFolder();
    [gguf, onnx] = [join(folder, 'repo/m.gguf'), join(folder, 'repo/m')];
    mkdirSync(join(folder, 'repo'));
    await run('export', model, '--out', gguf);
    await run('export', model, '--format', 'onnx', '--out', onnx);
    for (const place of ['repo', 'repo/m', 'here', 'here/src']) plant(join(folder, place));
  });

  const write = (file: string, text: string): void => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };

  /** Modules that say that they ran, in a folder. */
  function plant(place: string): void {
    const ran = JSON.stringify(join(place, 'ran'));
    for (const name of PYTHON) write(join(place, name), `open(${ran}, 'w').write('${name}')\n`);
    for (const name of PACKAGES) plantPackage(join(place, 'node_modules', name), name, join(place, 'ran'));
    write(join(place, 'python3'), `#!/bin/sh\necho python3 > ${ran}\n`);
    chmodSync(join(place, 'python3'), 0o755);
  }

  function plantPackage(place: string, name: string, ran: string): void {
    write(join(place, 'package.json'), JSON.stringify({ name, version: '9.9.9', exports: './x.mjs' }));
    write(join(place, 'x.mjs'), `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(ran)}, '');`);
  }

  function assertNothingRan(): void {
    const ran = ['repo', 'repo/m', 'here', 'here/src'].filter((place) => existsSync(join(folder, place, 'ran')));
    assert.deepEqual(ran, []);
  }

  /** Whatever the search paths of the current folder are. */
  const around = (): { cwd: string; env: Record<string, string> } => ({
    cwd: join(folder, 'here'),
    env: {
      NODE_PATH: `${builtProgram().env.NODE_PATH}:node_modules:src/node_modules`,
      PATH: `.:src:${process.env.PATH}`,
      PYTHONPATH: '.',
    },
  });

  for (const more of [[], ['--consumers']]) {
    it(`is not run by verify ${more.join()}`, async () => {
      for (const out of [gguf, '../repo/m']) {
        const { code, stderr, stdout } = await coppice(
          ['verify', out, '--against', model, ...more, '--json'],
          around(),
        );
        assert.equal(code, 0, stderr);
        assertNothingRan();
        const { consumers } = JSON.parse(stdout) as { consumers: { version?: string }[] };
        assert.ok(consumers.every(({ version }) => version !== '9.9.9'));
      }
    });
  }

  it('is not run by export beside it', async () => {
    const given = ['export', model, '--out', join(folder, 'repo/a'), '--format', 'onnx', '--consumers'];
    assert.equal((await coppice(given, around())).code, 0);
    assertNothingRan();
  });

  it('is not run by a recipe that asks for it, and cannot name where programs come from', async () => {
    const recipe = join(folder, 'here/r.coppice.json');
    const steps = (options: object): string =>
      JSON.stringify({
        coppice: 1,
        steps: { v: { job: 'verify', options: { output: '../repo/m', against: model, ...options } } },
      });
    writeFileSync(recipe, steps({ consumers: true }));
    const ran = await coppice(['run', recipe], around());
    assert.equal(ran.code, 0, ran.stderr);
    assert.match(ran.stdout, /v asks for other programs: none starts without --consumers/);
    assert.deepEqual(readJson(join(folder, 'here/.coppice/r/v/result.json')).consumers, []);
    assert.equal((await coppice(['run', recipe, '--consumers'], around())).code, 0);
    assertNothingRan();
    writeFileSync(recipe, steps({ consumers: true, consumersFrom: '.' }));
    const refused = await coppice(['run', recipe, '--consumers'], around());
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /cannot have the option “consumersFrom”/);
  });

  it('runs from a folder that the user names, and its failure is told', async () => {
    const named = join(folder, 'programs');
    plantPackage(join(named, 'node_modules/node-llama-cpp'), 'node-llama-cpp', join(named, 'ran'));
    const args = ['verify', gguf, '--against', model, '--json'];
    const json = JSON.parse((await coppice([...args, '--consumers', '--consumers-from', named], around())).stdout) as {
      consumers: { version: string; failure: string }[];
    };
    assert.equal(json.consumers[0].version, '9.9.9');
    assert.match(json.consumers[0].failure, /TypeError/);
    assert.ok(existsSync(join(named, 'ran')));
    assertNothingRan();
    const alone = await coppice([...args, '--consumers-from', named]);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /--consumers-from needs --consumers/);
  });

  it('gives onnxruntime-genai no settings that are not its own', async () => {
    const file = join(onnx, 'genai_config.json');
    const config = readJson(file) as { model: { decoder: { session_options: Record<string, unknown> } } };
    config.model.decoder.session_options.custom_ops_library = 'libx.so';
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
    const python = join(folder, 'venv/bin/python3');
    write(python, `#!/bin/sh\necho ran > ${join(folder, 'venv/ran')}\necho '{"ids": []}'\n`);
    chmodSync(python, 0o755);
    const args = [
      'verify',
      onnx,
      '--against',
      model,
      '--consumers',
      '--consumers-from',
      join(folder, 'venv'),
      '--json',
    ];
    const { stdout } = await coppice(args, around());
    const { consumers } = JSON.parse(stdout) as { consumers: { name: string; failure: string }[] };
    assert.match(
      consumers.find(({ name }) => name === 'onnxruntime-genai')!.failure,
      /genai_config\.json has settings/,
    );
    assert.ok(!existsSync(join(folder, 'venv/ran')));
  });
});
