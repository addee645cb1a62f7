/** `coppice schema`: the schemas of a command's options and of its result. */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { JOBS } from '../../src/jobs/definitions';
import { resultSchemaOf } from '../../src/jobs/schema';
import { buildCli, coppice, jsonOf } from '../support/built-cli';

describe('coppice schema', function () {
  this.timeout(60_000);
  before(buildCli);

  it('prints that of the options and, with --result, of the JSON', async () => {
    const options = jsonOf(await coppice(['schema', 'eval', '--json']));
    assert.ok('checkpoint' in (options.properties as object));
    const result = JSON.parse((await coppice(['schema', 'eval', '--result'])).stdout) as object;
    assert.deepEqual(result, JSON.parse(JSON.stringify(resultSchemaOf(JOBS.eval))));
    assert.equal(
      (result as { properties: { kl: { description: string } } }).properties.kl.description,
      'mean KL divergence from the original (nats; less is better)',
    );
    assert.ok(new Ajv2020({ strict: true, allowUnionTypes: true }).validateSchema(result));
  });

  it('names the command that was meant', async () => {
    const { code, stderr } = await coppice(['schema', 'evla']);
    assert.equal(code, 2);
    assert.match(stderr, /no schema of evla[\s\S]*Name eval\./);
  });
});
