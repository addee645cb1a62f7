/** A file that is there is replaced only if it is as Coppice wrote it. */
import assert from 'node:assert/strict';
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coppice } from '../support/built-cli';
import { makeCliMaterial, run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

describe('command line: files that are there', function () {
  this.timeout(60_000);
  let folder: string;
  let model: string;
  const at = (name: string): string => join(folder, name);

  before(async () => {
    folder = temporaryFolder();
    ({ model } = makeCliMaterial());
    await run('inspect', model, '--record', at('e.json'));
  });

  const user = (name: string): string => {
    writeFileSync(at(name), 'mine\n');
    return at(name);
  };

  /** Refused, and the file is as it was. */
  async function stays(name: string, ...args: readonly string[]): Promise<void> {
    const before = readFileSync(at(name));
    const { code, stderr } = await coppice(args);
    assert.equal(code, 1, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /never overwrites|the run reads that file|is not replaced/);
    assert.deepEqual(readFileSync(at(name)), before);
  }

  it('stay where a report would be written: its own input, files of the user, reports that were edited', async () => {
    await stays('e.json', 'report', at('e.json'), '--out', at('e.json'));
    await stays('e.json', 'report', at('e.json'), '--out', at('r.md'), '--record', at('e.json'));
    assert.ok(!existsSync(at('r.md')));
    for (const name of ['r.html', 'r.md']) {
      await stays(name, 'report', at('e.json'), '--out', user(name));
      writeFileSync(at(name), '');
      await run('report', at('e.json'), '--out', at(name));
      await run('report', at('e.json'), '--out', at(name));
      appendFileSync(at(name), '\nA word of mine.\n');
      await stays(name, 'report', at('e.json'), '--out', at(name));
    }
  });

  it('stay where a record would be written, but for an older record', async () => {
    await stays('n.json', 'inspect', model, '--record', user('n.json'));
    await run('inspect', model, '--record', at('e.json'));
  });

  it('stay where a recipe would put its report', async () => {
    const recipe = at('r.coppice.json');
    writeFileSync(
      recipe,
      JSON.stringify({ coppice: 1, model, steps: { s: { job: 'score', options: { criterion: 'magnitude' } } } }),
    );
    await stays('p.md', 'run', recipe, '--report', user('p.md'));
    rmSync(at('p.md'));
    for (let i = 0; i < 2; i++) await run('run', recipe, '--report', at('p.md'));
  });

  it('stay where texts, recipes of mergekit and Modelfiles would be written', async () => {
    writeFileSync(at('prompts.txt'), 'Once\n');
    const few = ['--max-new-tokens', '1'];
    await stays('t.json', 'generate', model, '--prompts', at('prompts.txt'), ...few, '--out', user('t.json'));
    await stays('m.yml', 'prune', model, '--blocks', '2', '--mergekit', user('m.yml'), '--out', at('pruned'));
    assert.ok(!existsSync(at('pruned')));
    const exported = ['export', model, '--modelfile', '--no-verify', '--out'];
    user('x.gguf.Modelfile');
    await stays('x.gguf.Modelfile', ...exported, at('x.gguf'));
    assert.ok(!existsSync(at('x.gguf')));
    // One that an earlier export left, and nobody edited, is replaced.
    await run(...exported, at('y.gguf'));
    writeFileSync(at('x.gguf.Modelfile'), readFileSync(at('y.gguf.Modelfile')));
    await run(...exported, at('x.gguf'));
    assert.match(readFileSync(at('x.gguf.Modelfile'), 'utf8'), /^FROM \.\/x\.gguf$/m);
  });
});
