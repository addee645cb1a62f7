/** The small checkpoints against every golden number that the engine answers for. */
import {
  EXPERT_FAMILIES,
  FAMILIES,
  FURTHER_FAMILIES,
  MIXED_FAMILIES,
  LONG_ROWS,
  SHORT_ROWS,
  checkpointFolder,
  type GoldenName,
} from '../../support/golden';
import { checkLogits, checkSomeBlocks } from '../../support/golden-checks';
import { testGoldenNumbers } from '../../support/golden-suite';
import { describedModel } from '../../support/model';
import { describeShared, shared } from '../../support/shared';

interface Case {
  readonly title: string;
  readonly name: GoldenName;
  readonly folder: () => string;
  readonly alike?: 'family' | 'files';
}

/** Of the families, one with biases and windows stands for the others in what is screened. */
const CHECKPOINTS: readonly Case[] = [
  ...FAMILIES.map((family): Case => {
    const name = `families/${family}` as const;
    const alike = family === 'qwen2-mixed-windows' ? undefined : 'family';
    return { title: family, name, folder: () => checkpointFolder(name), alike };
  }),
  ...FURTHER_FAMILIES.map((family): Case => {
    const name = `families2/${family}` as const;
    return { title: family, name, folder: () => checkpointFolder(name), alike: 'family' };
  }),
  ...[...EXPERT_FAMILIES, ...MIXED_FAMILIES].map((family): Case => {
    const name = `families3/${family}` as const;
    return { title: family, name, folder: () => checkpointFolder(name), alike: 'family' };
  }),
  { title: 'stories260K', name: 'stories260K', folder: () => checkpointFolder('stories260K') },
  {
    title: 'stories260K, sharded',
    name: 'stories260K',
    folder: () => shared('models/stories260K-f32-sharded'),
    alike: 'files',
  },
];

describeShared('golden numbers of small checkpoints', () => {
  for (const { title, name, folder, alike } of CHECKPOINTS) {
    describe(title, () => testGoldenNumbers(describedModel(folder), name, alike));
  }

  const others = [
    ...SHORT_ROWS.map(
      (family) => [`families2/${family}-short`, 'rows within the length up to which nothing is scaled'] as const,
    ),
    ...LONG_ROWS.map((family) => [`families3/${family}-long`, 'rows of several pieces of the recurrence'] as const),
  ];
  for (const [name, what] of others) {
    describe(`${name}, ${what}`, () => {
      const model = describedModel(() => checkpointFolder(name));
      it('logits, log-sum-exp and arg max', () => checkLogits(model(), name));
      it('mean losses of the model and without each block', () =>
        checkSomeBlocks(model(), name, [...model().architecture.layers.keys()], 6));
    });
  }
});
