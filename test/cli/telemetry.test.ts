/** onnxruntime's own telemetry, which it keeps in the user's cache before it sends it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type CliMaterial, makeCliMaterial } from '../support/cli';
import { coppiceProcess, jsonOf } from '../support/built-cli';
import { temporaryFolder } from '../support/temporary';

describe('command line: telemetry', () => {
  let material: CliMaterial;

  before(() => {
    material = makeCliMaterial();
  });

  it('is off: a run that opens sessions leaves nothing in the cache', async () => {
    const home = temporaryFolder();
    const env = { HOME: home, XDG_CACHE_HOME: home };
    jsonOf(await coppiceProcess(['score', material.model, '--calibration', material.rows, '--json'], { env }));
    assert.deepEqual(readdirSync(home), []);
  });
});
