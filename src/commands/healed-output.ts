/** What a healing writes: a checkpoint, a file of the new weights alone, or a quantized GGUF file once more. */
import * as vscode from 'vscode';
import { isQuantizedGguf } from '../engine/checkpoint/gguf/name';
import { UserError } from '../engine/errors';
import { formatBytes } from '../format/numbers';
import { type Chosen } from '../host/ask/choose-checkpoint';
import type { Coppice } from '../host/coppice';
import { checkpointBytes } from '../host/ask/disk-space';
import { explainedSize } from '../host/ask/export-sizes';
import { askOutputFile, askOutputFolder, outputFolder } from '../host/ask/output-folder';
import { recall } from '../host/ask/remembered';
import { type PickChoice, pick, type Step } from '../host/ask/steps';
import { finerWords } from '../jobs/finer-words';
import type { WrittenSize } from '../estimates/written-bytes';
import { PATCH } from '../state/group-files';

export type HealedOutput = 'checkpoint' | 'patch' | 'gguf';

export interface HealedPlace {
  readonly output?: HealedOutput;
  /** Folder of the new checkpoint. */
  readonly out?: string;
  /** File of the new weights alone. */
  readonly patch?: string;
  /** GGUF file with the types of its source. The new weights lie beside it. */
  readonly gguf?: string;
}

const GGUF = '.gguf';

/** The file of new weights beside a GGUF file that they are exported to. */
export const patchBeside = (gguf: string): string => `${gguf.slice(0, -GGUF.length)}${PATCH}`;

/** The size of a quantized GGUF file that is healed and keeps its types; undefined for other models, and where it cannot be written. */
export async function healedGguf(
  { checkpoint }: Pick<Chosen, 'checkpoint'>,
  remove: readonly (number | string)[],
): Promise<WrittenSize | undefined> {
  const removed = remove.filter((entry) => typeof entry === 'number');
  if (!isQuantizedGguf(checkpoint) || removed.length !== remove.length) return undefined;
  try {
    return await explainedSize(checkpoint, { format: 'gguf', removed, changed: 'healed' });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** "235.6 MB · 14 changed matrices are kept in finer types (q5_1): 2.9 MB more" */
const healedGgufWords = ({ bytes, finer }: WrittenSize): string =>
  [formatBytes(bytes), ...(finer ? [finerWords(finer)] : [])].join(' · ');

/** Asks what is written, and where. @param given what the caller has said */
export function outputSteps<S extends HealedPlace>(
  coppice: Coppice,
  chosen: Chosen,
  remove: readonly (number | string)[],
  given: HealedPlace,
): Step<S>[] {
  const { t } = vscode.l10n;
  const { config } = coppice;
  const outputStep: Step<S> = async (_, place) => {
    const size = await healedGguf(chosen, remove);
    const choices: PickChoice<HealedOutput>[] = [
      ...(size
        ? [{ label: t('GGUF file with the same types'), description: healedGgufWords(size), value: 'gguf' as const }]
        : []),
      { label: t('New checkpoint'), description: t('stock tools load it'), value: 'checkpoint' },
      {
        label: t('Patch file only'),
        description: t('the new weights, to look at before writing a checkpoint'),
        value: 'patch',
      },
    ];
    const usual = size ? 'gguf' : 'checkpoint';
    const active = recall<string>(coppice, 'heal', 'output', usual, usual) as HealedOutput;
    const output = await pick(place, t('Select what to write'), choices, active);
    return { output } as Partial<S>;
  };
  const pathStep: Step<S> = async ({ output }, place) => {
    const free = (suffix: string, extension = ''): string =>
      outputFolder(config.outputFolder, chosen.checkpoint, suffix, extension);
    const path = await {
      async checkpoint() {
        const bytes = await checkpointBytes(chosen.checkpoint, remove);
        return askOutputFolder(place, { prompt: t('Folder for the new checkpoint'), value: free('healed'), bytes });
      },
      patch: () =>
        askOutputFile(place, { prompt: t('File for the new weights'), value: free('healed', PATCH), extension: PATCH }),
      async gguf() {
        const size = await healedGguf(chosen, remove);
        const value = free(`${chosen.architecture.layers.length - remove.length}-blocks-healed`, GGUF);
        const prompt = [t('The new file'), ...(size?.finer ? [finerWords(size.finer)] : [])].join('. ');
        return askOutputFile(place, { prompt, value, extension: GGUF, ...(size && { bytes: size.bytes }) });
      },
    }[output ?? 'checkpoint']();
    const name = ({ checkpoint: 'out', patch: 'patch', gguf: 'gguf' } as const)[output ?? 'checkpoint'];
    return { [name]: path } as unknown as Partial<S>;
  };
  // Without single modules there is no checkpoint to write.
  if (remove.some((entry) => typeof entry === 'string')) {
    return [(state, place) => pathStep({ ...state, output: 'patch' }, place)];
  }
  return given.output === undefined ? [outputStep, pathStep] : [pathStep];
}
