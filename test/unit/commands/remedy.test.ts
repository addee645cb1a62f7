/** What an error says in the editor, and what is offered. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EDITOR_NAMING } from '../../../src/host/option-names';
import { goOn, remedyOf } from '../../../src/host/remedy';
import { requireTrusted } from '../../../src/host/restricted';
import { DeviceError, UserError } from '../../../src/engine/errors';
import { nameOptionsBy, option, set, TERMINAL_NAMING } from '../../../src/engine/option-token';
import { stateFileOf } from '../../../src/engine/retrain/loop/workspace';
import type { JobSpec } from '../../../src/protocol/jobs';
import { JobInterrupted } from '../../../src/sidecar/interrupted';
import { temporaryFolder } from '../../support/temporary';

const evaluation: JobSpec = { kind: 'eval', checkpoint: 'm', text: 't' };
const labels = (error: unknown, provider?: string): readonly string[] =>
  remedyOf(error, provider).actions.map(({ label }) => label);

describe('an error in the editor', () => {
  afterEach(() => nameOptionsBy(TERMINAL_NAMING));

  it('offers the CPU when the device failed', () => {
    const { text, actions } = remedyOf(new DeviceError('the GPU is lost', 'it hung', 'Use --device cpu.'), 'webgpu');
    assert.equal(text, 'The GPU is lost: it hung.');
    assert.deepEqual(actions, [{ label: 'Run on the CPU', changes: { device: 'cpu' } }]);
  });

  it('offers it too when a process that used a GPU is gone, for the driver may have taken it along', () => {
    assert.deepEqual(labels(new JobInterrupted(evaluation, 'x'), 'webgpu'), ['Run Again', 'Run on the CPU']);
    assert.deepEqual(labels(new JobInterrupted(evaluation, 'x'), 'cpu'), ['Run Again']);
    assert.deepEqual(labels(new JobInterrupted(evaluation, 'x')), ['Run Again']);
    assert.deepEqual(labels(new JobInterrupted({ ...evaluation, device: 'cpu' }, 'x'), 'webgpu'), ['Run Again']);
    const prune: JobSpec = { kind: 'prune', checkpoint: 'm', blocks: [1], out: 'o' };
    assert.deepEqual(labels(new JobInterrupted(prune, 'x'), 'webgpu'), ['Run Again']);
    const retrain: JobSpec = { kind: 'retrain', checkpoint: 'm', data: ['x'], out: 'o' };
    assert.deepEqual(labels(new JobInterrupted(retrain, 'x'), 'webgpu'), ['Resume', 'Run on the CPU']);
  });

  it('leads to the trust of the workspace where that is why nothing is run', () => {
    let refusal: unknown;
    try {
      requireTrusted(false);
    } catch (error) {
      refusal = error;
    }
    assert.ok(refusal instanceof UserError);
    assert.deepEqual(remedyOf(refusal, 'cpu').actions, [
      { label: 'Manage Workspace Trust', command: 'workbench.trust.manage' },
    ]);
    assert.doesNotThrow(() => requireTrusted(true));
  });

  it('lets a retraining go on with the state that it has kept, and only then', () => {
    const out = join(temporaryFolder(), 'adapter');
    assert.deepEqual(goOn({ out }), {});
    mkdirSync(dirname(stateFileOf(out)), { recursive: true });
    writeFileSync(stateFileOf(out), '');
    assert.deepEqual(goOn({ out }), { resume: true });
    assert.deepEqual(goOn({}), {});
    const refused = new UserError(
      'x is being trained already',
      'it was stopped',
      `${set('resume', true, 'add')} to go on.`,
    );
    assert.deepEqual(remedyOf(refused, 'cpu').actions, [{ label: 'Resume', changes: { resume: true } }]);
  });

  it('names settings, steps and arguments, not options of the command line', () => {
    nameOptionsBy(EDITOR_NAMING);
    const said = (why: string, action: string): string => remedyOf(new UserError('it failed', why, action), 'cpu').text;
    assert.equal(
      said(`beyond ${option('memory')}`, `Raise ${option('memory')}.`),
      'It failed: beyond “Coppice: Memory Limit”. Raise “Coppice: Memory Limit”.',
    );
    assert.match(said('so', `${set('resume', true, 'add')} to go on with it.`), /: so\. Resume to go on with it\.$/);
  });
});
