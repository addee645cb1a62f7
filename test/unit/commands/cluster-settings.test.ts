/** The setting for a cluster: what it means, and what is wrong with it. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { SCHEDULERS } from '../../../src/cluster/folder';
import { UserError } from '../../../src/engine/errors';
import { MAX_PARTS } from '../../../src/engine/parts/part';
import { clusterSettingsOf, DEFAULT_PARTS, requireCluster } from '../../../src/state/cluster-settings';
import manifest from '../../../package.json';
import { settingsOf } from '../../../src/jobs/settings';

const folder = resolve('/shared/coppice');

describe('the setting for a cluster', () => {
  it('has defaults for all but the scheduler and the folder', () => {
    assert.equal(clusterSettingsOf(null), undefined);
    assert.equal(clusterSettingsOf(undefined), undefined);
    assert.deepEqual(clusterSettingsOf({ scheduler: 'slurm', folder }), {
      scheduler: 'slurm',
      folder,
      command: ['coppice'],
      parts: 8,
      asked: {},
    });
    const given = { command: ['srun', 'coppice'], parts: 3, options: { partition: 'gpu', gpus: 1 } };
    assert.deepEqual(clusterSettingsOf({ scheduler: 'kubernetes', folder, ...given }), {
      scheduler: 'kubernetes',
      folder,
      command: ['srun', 'coppice'],
      parts: 3,
      asked: { partition: 'gpu', gpus: '1' },
    });
  });

  it('says what is wrong with a value', () => {
    const fine = { scheduler: 'slurm', folder };
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      ['slurm', /not an object/],
      [{ ...fine, scheduler: 'lsf' }, /“scheduler” must be one of slurm, kubernetes/],
      [{ ...fine, folder: 'runs' }, /“folder” must be an absolute path/],
      [{ ...fine, command: [] }, /“command” must be a list of words/],
      [{ ...fine, command: 'coppice' }, /“command” must be a list of words/],
      [{ ...fine, parts: 0 }, /“parts” must be a whole number from 1 to 10000/],
      [{ ...fine, options: { partition: ['gpu'] } }, /“options” must be an object of texts and numbers/],
      [{ ...fine, partition: 'gpu' }, /no field “partition”/],
    ];
    for (const [value, why] of wrong) {
      assert.throws(
        () => clusterSettingsOf(value),
        (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.texts.what, /coppice\.cluster/);
          assert.match(error.texts.why, why);
          return true;
        },
      );
    }
    assert.throws(() => requireCluster(undefined), /There is no cluster/);
  });

  it('is described in the manifest as the code reads it', () => {
    const { properties } = settingsOf(manifest as unknown as Parameters<typeof settingsOf>[0])['coppice.cluster'] as {
      readonly properties: {
        readonly scheduler: { readonly enum: readonly string[] };
        readonly parts: { readonly maximum: number; readonly default: number };
        readonly command: { readonly default: readonly string[] };
      };
    };
    assert.deepEqual(properties.scheduler.enum, SCHEDULERS);
    assert.deepEqual([properties.parts.maximum, properties.parts.default], [MAX_PARTS, DEFAULT_PARTS]);
    assert.equal(clusterSettingsOf({ scheduler: 'slurm', folder })?.command[0], properties.command.default[0]);
    assert.ok(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations.includes('coppice.cluster'));
    assert.deepEqual(Object.keys(properties).sort(), ['command', 'folder', 'options', 'parts', 'scheduler']);
  });
});
