/** The small checkpoints against every golden number that the engine answers for. */
import { FAMILIES, checkpointFolder, type GoldenName } from '../../support/golden';
import { testGoldenNumbers } from '../../support/golden-suite';
import { describedModel } from '../../support/model';
import { describeShared, shared } from '../../support/shared';

const CHECKPOINTS: readonly { title: string; name: GoldenName; folder: () => string }[] = [
  ...FAMILIES.map((family) => {
    const name = `families/${family}` as const;
    return { title: family, name, folder: () => checkpointFolder(name) };
  }),
  { title: 'stories260K', name: 'stories260K', folder: () => checkpointFolder('stories260K') },
  { title: 'stories260K, sharded', name: 'stories260K', folder: () => shared('models/stories260K-f32-sharded') },
];

describeShared('golden numbers of small checkpoints', () => {
  for (const { title, name, folder } of CHECKPOINTS) {
    describe(title, () => testGoldenNumbers(describedModel(folder), name));
  }
});
