/** What an error says in the editor, and what is offered. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { editorWords } from '../../../src/host/editor-words';
import { goOn, remedyOf } from '../../../src/host/remedy';
import { requireTrusted } from '../../../src/host/restricted';
import { DeviceError, UserError } from '../../../src/engine/errors';
import { stateFileOf } from '../../../src/engine/retrain/loop/workspace';
import type { JobSpec } from '../../../src/protocol/jobs';
import { JobInterrupted } from '../../../src/sidecar/interrupted';
import { temporaryFolder } from '../../support/temporary';

const evaluation: JobSpec = { kind: 'evaluate', checkpoint: 'm', text: 't' };
const labels = (error: unknown, provider?: string): readonly string[] =>
  remedyOf(error, provider).actions.map(({ label }) => label);

describe('an error in the editor', () => {
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
    const settings = { method: { kind: 'lora' as const }, data: ['x'] };
    const retrain: JobSpec = { kind: 'retrain', checkpoint: 'm', settings, out: 'o' };
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
    const refused = new UserError('x is being trained already', 'it was stopped', 'Add --resume to go on with it.');
    assert.deepEqual(remedyOf(refused, 'cpu').actions, [{ label: 'Resume', changes: { resume: true } }]);
  });

  it('names settings and arguments, not options of the command line', () => {
    const said = (why: string, action: string): string => remedyOf(new UserError('it failed', why, action), 'cpu').text;
    assert.equal(said('so', 'Raise --memory.'), 'It failed: so. Raise coppice.memoryLimit.');
    const words: Readonly<Record<string, string>> = {
      'Use coppice.device auto or --device cpu.': 'Use coppice.device auto or coppice.device cpu.',
      'Give a smaller count, a shorter --keep list, or --no-plus.':
        'Give a smaller count, a shorter coppice.keep list, or switch off coppice.keepFirstAndLast.',
      'Remove fewer, shorten --keep, or give --no-plus.':
        'Remove fewer, shorten coppice.keep, or switch off coppice.keepFirstAndLast.',
      'Choose another --out, or remove it first.': 'Choose another folder, or remove it first.',
      'Add --resume to go on with it, or remove that folder.': 'Resume it, or remove that folder.',
      'Merge the adapter first: coppice merge CHECKPOINT --adapter DIR --out DIR.': 'Merge the adapter first.',
      'if this is the same model in other files, add --other-base.':
        'if this is the same model in other files, add otherBase.',
      'Try a third of the learning rate (--lr), a longer --warmup':
        'Try a third of the learning rate (learningRate), a longer warmup',
      'it holds runs--main and a--b': 'it holds runs--main and a--b',
    };
    for (const [text, expected] of Object.entries(words)) assert.equal(editorWords(text), expected);
  });
});
