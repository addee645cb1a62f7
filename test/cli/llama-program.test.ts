/** `coppice verify --consumers` with the program of llama.cpp on the PATH. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildCli, coppice } from '../support/built-cli';
import { run } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const SAMPLE = resolve(import.meta.dirname, '../../media/sample');

/** Prints what it is told to, as llama.cpp does: the text on stdout, all else on stderr. It keeps its prompt and its arguments. */
const PROGRAM = `#!/bin/sh
here="$(dirname "$0")"
if [ "$1" = --version ]; then echo "version: 4589 (5f3a2c)" >&2; exit 0; fi
echo "$@" > "$here/arguments"; cp input.txt "$here/prompt"
echo "llama_model_loader: loaded" >&2; printf '%s' "$(cat "$here/says")"; echo " [end of text]"
`;

interface Consumer {
  readonly name: string;
  readonly version?: string;
  readonly equal?: boolean;
  readonly tokens?: number;
  readonly firstDifference?: number;
  readonly failure?: string;
}

describe('command line: the program of llama.cpp', function () {
  this.timeout(120_000);
  let file: string;
  let bin: string;

  before(async function () {
    if (process.platform === 'win32') this.skip();
    buildCli();
    file = join(temporaryFolder(), 'sample.gguf');
    const { code, stderr } = await coppice(['export', SAMPLE, '--type', 'f32', '--no-verify', '--out', file]);
    assert.equal(code, 0, stderr);
    bin = join(temporaryFolder(), 'bin');
    mkdirSync(bin);
  });

  async function verified(PATH: string): Promise<readonly [Consumer | undefined, string]> {
    const given = ['verify', file, '--against', SAMPLE, '--consumers', '--json'];
    const { stdout, stderr } = await coppice(given, { env: { PATH } });
    const { consumers } = JSON.parse(stdout) as { consumers: Consumer[] };
    return [consumers.find(({ name }) => name.startsWith('llama-')), stderr];
  }

  it('is not run where it is not there, and that is said', async () => {
    const [consumer, stderr] = await verified('/usr/bin:/bin');
    if (consumer) return; // this machine has it there
    assert.match(stderr, /Neither llama-completion nor llama-cli is on the PATH/);
  });

  it('is compared by the text of each token, with its version', async () => {
    const says = (text: string): void => writeFileSync(join(bin, 'says'), text);
    writeFileSync(join(bin, 'llama-cli'), PROGRAM, { mode: 0o755 });
    says('something else');
    const path = `${bin}:/usr/bin:/bin`;
    const [other] = await verified(path);
    assert.equal(other?.equal, false);
    assert.equal(other.firstDifference, 0);
    assert.equal(other.version, '4589');
    const prompt = readFileSync(join(bin, 'prompt'), 'utf8');
    assert.match(prompt, /^Once upon a time there was a/);
    assert.match(
      readFileSync(join(bin, 'arguments'), 'utf8'),
      /-f input\.txt .*--temp 0 .*-no-cnv --no-display-prompt --no-escape/,
    );
    const { text } = await run('generate', file, '--prompt', prompt, '--max-new-tokens', '16');
    says(String(text));
    const [same] = await verified(path);
    assert.equal(same?.equal, true, JSON.stringify(same));
    assert.ok(same.tokens! > 0);
    writeFileSync(join(bin, 'llama-cli'), '#!/bin/sh\necho "error: invalid argument: $1" >&2; exit 1\n', {
      mode: 0o755,
    });
    const [failed] = await verified(path);
    assert.match(failed!.failure!, /invalid argument/);
    assert.equal(failed!.equal, undefined);
  });

  it('writes the same tokens where it is installed', async function () {
    try {
      execFileSync('llama-completion', ['--version'], { stdio: 'ignore' });
    } catch {
      this.skip(); // llama-completion is not on the PATH
    }
    const [consumer] = await verified(process.env.PATH!);
    assert.equal(consumer?.name, 'llama-completion');
    assert.equal(consumer.equal, true, JSON.stringify(consumer));
  });
});
