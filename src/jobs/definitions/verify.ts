/** Compares an exported model with the model that it was written from, and runs it in the programs that are installed. */
import { l10n } from '../../l10n';
import type { VerifyResult } from '../../protocol/export';
import { defineJob, shape } from '../define';
import { checkpoint, flag } from '../option';
import { compute } from '../options/compute';
import { adapter, healed, remove, width } from '../options/model';

export const verify = defineJob({
  kind: 'verify',
  summary: 'compare an exported model with the model that it was written from',
  description:
    'Opens what Coppice wrote, safetensors, GGUF or ONNX, and compares it with the model that its record names: every ' +
    'weight where the format shows them, the logits of fixed rows, and a continuation. Then it runs the file in llama.cpp, ' +
    'transformers.js and onnxruntime-genai where they are installed, without a network, and compares their tokens. It ' +
    'installs nothing and changes nothing.',
  examples: ['./SmolLM2-26.gguf', './SmolLM2-24-onnx --against ./SmolLM2-135M --remove 10,12-16'],
  noun: () => l10n.t('Verifying'),
  title: (model) => l10n.t('Verifying {0}', model),
  options: {
    output: checkpoint('the file or folder that was written', { argument: true, required: true }),
    against: checkpoint('the model that it was written from (default: the one of its record, if it lies beside it)', {
      noun: () => l10n.t('the source model'),
      placeholder: 'checkpoint',
    }),
    ...remove,
    ...width,
    ...healed,
    ...adapter,
    consumers: flag('do not run it in other programs', { noun: () => l10n.t('other programs'), default: true }),
    ...compute,
  },
  result: shape<VerifyResult>(),
});
