/** Compares an exported model with the model that it was written from, and runs it in other programs if it is asked to. */
import { option } from '../../engine/option-token';
import { isObject, type JsonObject } from '../../format/json';
import { l10n } from '../../l10n';
import { defineJob } from '../define';
import { type Fact, verifiedFact } from '../facts';
import { checkpoint } from '../option';
import { compute } from '../options/compute';
import { consumers } from '../options/consumers';
import { adapter, healed, remove, width } from '../options/model';
import { verifyResult } from '../results/export';

/** Of a model and its draft that were not run. */
const FILES_ONLY: Fact = ['verified', 'Its files as they were written; it was not run'];

const isPassed = ({ verified }: JsonObject): boolean => isObject(verified) && verified.passed === true;

export const verify = defineJob({
  kind: 'verify',
  summary: 'compare an exported model with the model that it was written from',
  description:
    'Opens what Coppice wrote, safetensors, GGUF or ONNX, and compares it with the model that its record names: every ' +
    `weight where the format shows them, the logits of fixed rows, and a continuation. With ${option('consumers')} it also runs the ` +
    'file in llama.cpp (node-llama-cpp, and llama-completion or an older llama-cli on the PATH), transformers.js and ' +
    'onnxruntime-genai where they are installed, without a network, and compares ' +
    'their tokens. It installs nothing and changes nothing, and runs nothing that lies beside the model. The folder of a model with ' +
    'its draft is compared with its own record: every file, the texts of the model, and the passes ' +
    'that were forecast for them.',
  examples: [
    './SmolLM2-26.gguf',
    './SmolLM2-24-onnx --against ./SmolLM2-135M --remove 10,12-16',
    './SmolLM2-pair --consumers',
  ],
  noun: () => l10n.t('Verifying'),
  title: (model) => l10n.t('Verifying {0}', model),
  done: (model) => l10n.t('Verified {0}', model),
  icon: 'verified',
  step: 'verified',
  about: (result) => {
    if (!isPassed(result)) return '';
    return result.pair === null ? 'its files as they were written' : 'the same as the model';
  },
  facts: (result) => (result.pair === null && isPassed(result) ? [FILES_ONLY] : verifiedFact(result)),
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
    ...consumers(
      'also run it in llama.cpp, transformers.js and onnxruntime-genai where they are installed; a pair in its own program',
    ),
    ...compute,
  },
  result: verifyResult,
});
