/** The list of criteria and the files that compute them. */
import assert from 'node:assert/strict';
import {
  criterionInfo,
  CRITERION_LIST,
  CRITERIA,
  isSized,
  needsCalibration,
  readsWeights,
} from '../../../src/engine/importance/criteria';
import { CUT_WORK } from '../../../src/engine/importance/cut-work';
import { DEFAULT_BUDGET } from '../../../src/engine/importance/drawing';
import type { CriterionModule } from '../../../src/engine/importance/criterion';
import { CRITERIA_HELP } from '../../../src/jobs/options/criterion';
import { filesIn } from '../house/repository';

describe('importance/criteria', () => {
  it('are the files of their folder, one each', () => {
    const files = filesIn('src/engine/importance/criteria').map((file) => file.replace(/\.ts$/, ''));
    assert.deepEqual([...files].sort(), [...CRITERIA].sort());
  });

  for (const { name, cut = false } of CRITERION_LIST) {
    it(`${name} can be cut into parts where the list says so`, async () => {
      const { parts } = (await import(`../../../src/engine/importance/criteria/${name}.ts`)) as CriterionModule;
      assert.equal(parts !== undefined, cut);
      assert.equal(Object.hasOwn(CUT_WORK, name), cut);
      const measures = [parts?.measureRows, parts?.measureStored].filter((measure) => measure !== undefined);
      assert.equal(measures.length, Number(cut));
      if (parts) assert.equal(parts.measureRows !== undefined, criterionInfo(name).reads.includes('text'));
    });
  }

  for (const { name, reads, effort, work, title, help } of CRITERION_LIST) {
    it(`${name} scores in one way, and the list says which`, async () => {
      const { scoreRows, scoreStored } = (await import(
        `../../../src/engine/importance/criteria/${name}.ts`
      )) as CriterionModule;
      assert.equal(scoreRows !== undefined, reads.includes('text'));
      assert.equal(scoreStored !== undefined, !reads.includes('text'));
      assert.equal(work !== undefined, effort === 'products' || effort === 'gradients');
      assert.ok(title.length > 0 && help.length > 0);
      assert.ok(CRITERIA_HELP.includes(`\n  ${name} `), 'the help has it');
    });
  }

  it('say which choose blocks together, and take time that they are given', () => {
    assert.deepEqual(
      CRITERION_LIST.filter(({ inTurn, asSet }) => inTurn === true || asSet === true).map(({ name }) => name),
      CRITERIA.filter(isSized),
    );
    assert.ok(isSized('greedy') && isSized('search') && !isSized('ppl'));
    assert.equal(criterionInfo('search').seconds, DEFAULT_BUDGET);
  });

  it('say what they read', () => {
    for (const name of ['ppl', 'taylor', 'greedy'] as const) assert.ok(needsCalibration(name), name);
    for (const name of ['magnitude', 'deepest'] as const) assert.ok(!needsCalibration(name), name);
    assert.ok(readsWeights('taylor') && readsWeights('magnitude') && !readsWeights('ppl'));
    assert.equal(criterionInfo('taylor').title, 'Taylor');
  });
});
