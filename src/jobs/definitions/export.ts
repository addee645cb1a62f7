/** Writes a model for an application: safetensors, GGUF, or a folder of ONNX files; and compares what it wrote. */
import { objects } from '../../engine/records/fields';
import { option, set } from '../../engine/option-token';
import { EXPORT_FORMATS, type ExportFormat, formatOfFile, FORMATS } from '../../engine/write/formats';
import { LLAMA_CPP_TYPES, usesImportance } from '../../engine/write/gguf/kinds';
import { ONNX_TARGETS } from '../../engine/write/onnx/kinds';
import { isObject } from '../../format/json';
import { l10n } from '../../l10n';
import { joined, pplWords } from '../about';
import { type Complete, defineJob, type Fault } from '../define';
import { field, numberFact, perSecond, verifiedFact, writtenFacts } from '../facts';
import { choice, file, fileOr, flag, list, text, whole } from '../option';
import { calibration, share } from '../options/calibration';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { compute } from '../options/compute';
import { consumers } from '../options/consumers';
import { model } from '../options/model';
import { out } from '../options/output';
import { window } from '../options/window';
import { exportResult } from '../results/export';

const options = {
  ...model,
  format: choice(
    EXPORT_FORMATS,
    `safetensors, gguf (llama.cpp, Ollama) or onnx; gguf if ${option('out')} ends in .gguf`,
    {
      noun: () => l10n.t('the format'),
      placeholder: 'name',
    },
  ),
  type: list(
    text('a type'),
    `type of the weights. ${EXPORT_FORMATS.map((name) => `${name}: ${FORMATS[name].types.join(', ')}`).join('; ')}, ` +
      'or several of them (default: as stored; of onnx fp32)',
    { noun: () => l10n.t('type of the weights'), placeholder: 'name' },
  ),
  out: out('the new file (gguf) or folder; it must not exist'),
  target: choice(
    ONNX_TARGETS,
    'what an ONNX model is to run on: cpu (also WebAssembly), or webgpu (uses plain attention, because the fused kernel is wrong there) (default: cpu)',
    { noun: () => l10n.t('the target') },
  ),
  modelfile: flag('also write an Ollama Modelfile beside a GGUF file', { noun: () => l10n.t('an Ollama Modelfile') }),
  imatrix: fileOr(
    ['auto'],
    'quantize the columns more finely that matter more: auto measures them while the exported model reads ' +
      `${option('calibration')}, a file is an importance matrix of llama.cpp (.gguf, .dat) or of an earlier export (gguf)`,
    { noun: () => l10n.t('the importance matrix') },
  ),
  saveImatrix: file(
    `with ${option('imatrix', 'auto')}: keep the importance matrix in this file, which llama.cpp reads too`,
    {
      noun: () => l10n.t('a file for the importance matrix'),
      needs: 'imatrix',
      writes: true,
    },
  ),
  calibration: {
    ...calibration.calibration,
    help: `with ${option('imatrix', 'auto')}: the text that is read, as ${calibration.calibration.help}`,
    needs: 'imatrix',
  },
  samples: { ...calibration.samples, needs: 'imatrix' },
  length: { ...calibration.length, needs: 'imatrix' },
  seed: calibration.seed,
  text: file('also measure the perplexity of this text with the new files (UTF-8)', { noun: () => l10n.t('a text') }),
  application: application('its judging rows measure, its calibration rows weigh the columns', 'text', 'calibration'),
  window: { ...window('tokens per window of that text'), needs: 'text' },
  share,
  limit: whole('use only the first n windows of that text', {
    noun: () => l10n.t('number of windows'),
    needs: 'text',
  }),
  bos: { ...begin.bos, help: `with ${option('text')} or ${option('calibration')}: ${begin.bos.help}` },
  verify: flag('write without comparing the result with the model', {
    noun: () => l10n.t('the comparison'),
    default: true,
  }),
  ...consumers(
    'also run the result in llama.cpp, transformers.js and onnxruntime-genai where they are installed, and note it in the folder',
  ),
  ...compute,
};

export const exportJob = defineJob({
  kind: 'export',
  summary: 'write a model for llama.cpp, transformers.js, onnxruntime or transformers',
  description:
    'Writes a model, without some blocks, healed, narrower and with an adapter if these are given, in the format of the ' +
    'program that runs it. Then it opens what it wrote and compares it with the model: every weight, the logits of fixed ' +
    'rows, and a continuation. A result that differs by more than its type rounds is not left behind. The source never changes.',
  notes:
    'K-quants (q4_k_m and others) have the bytes of llama-quantize, with and without an importance matrix; which matrix gets which type is its rule too.\n' +
    'ONNX folders serve onnxruntime, transformers.js and onnxruntime-genai; their README says how.',
  examples: [
    './SmolLM2-135M --remove 10,12-14 --format gguf --type q8_0 --out ./SmolLM2-26.gguf',
    './SmolLM2-135M --heal healed.patch.safetensors --type q4_k_m --imatrix auto --calibration prose.txt --out ./SmolLM2-24.gguf',
    './SmolLM2-24 --format onnx --type q4,fp32 --out ./SmolLM2-24-onnx --text wiki.test.txt --limit 16',
    './SmolLM2-135M.gguf --heal healed.patch.safetensors --format safetensors --type bf16 --out ./SmolLM2-healed',
  ],
  noun: () => l10n.t('Exporting'),
  title: (name) => l10n.t('Exporting {0}', name),
  done: (model) => l10n.t('Exported {0}', model),
  icon: 'export',
  made: { as: 'exported', icon: 'package', words: () => l10n.t('exported') },
  makes: () => true,
  step: 'exported',
  about: ({ format, type, measured }, { written }) =>
    joined(`${String(format)} ${String(type)}`, ...measuredWords(measured), written),
  facts: (result) => [
    ['format', [result.format, result.type].filter((word) => typeof word === 'string').join(', ')],
    ...writtenFacts(result),
    ...objects(result.measured).flatMap((kind) => [
      ...numberFact(`perplexity, ${String(kind.type)}`, field(kind.perplexity, 'ppl')),
      ...numberFact(`speed, ${String(kind.type)}`, kind.tokensPerSecond, perSecond),
    ]),
    ...verifiedFact(result),
  ],
  options,
  application: (path, { imatrix }) => ({
    text: path,
    share: 'judging',
    ...(imatrix === 'auto' && { calibration: path }),
  }),
  check: (given) =>
    formatFault(given) ?? typeFault(given) ?? idleFault(given) ?? shareFault(given) ?? imatrixFault(given),
  result: exportResult,
});

type Given = Pick<
  Complete<typeof options>,
  | 'format'
  | 'type'
  | 'out'
  | 'target'
  | 'modelfile'
  | 'verify'
  | 'consumers'
  | 'imatrix'
  | 'saveImatrix'
  | 'calibration'
  | 'share'
  | 'text'
>;

/** The format that the options ask for; undefined if they name none. */
export const formatOf = ({ format, out: path }: Pick<Given, 'format' | 'out'>): ExportFormat | undefined =>
  format ?? formatOfFile(path);

function formatFault(given: Given): Fault | undefined {
  const format = formatOf(given);
  if (format === undefined) {
    return {
      what: `${option('format')} is missing`,
      why: `only an ${option('out')} that ends in .gguf says the format`,
      action: `Give one of ${EXPORT_FORMATS.join(', ')}.`,
    };
  }
  const { title, extension } = FORMATS[format];
  if (formatOfFile(given.out) === (extension === undefined ? undefined : format)) return undefined;
  return {
    what: `${option('out', given.out)} does not suit ${option('format', format)}`,
    why: extension === undefined ? `${format} is written as a folder` : `a ${title} file ends in ${extension}`,
    action: `Give ${option('out')} another name, or change ${option('format')}.`,
  };
}

function typeFault(given: Given): Fault | undefined {
  const format = formatOf(given)!;
  const { type = [] } = given;
  const { types, several } = FORMATS[format];
  // The run says how llama.cpp makes its own.
  const known = format === 'gguf' ? [...types, ...LLAMA_CPP_TYPES] : types;
  const stranger = type.find((name) => !known.includes(name.toLowerCase()));
  if (stranger !== undefined) {
    return {
      what: `${option('type', stranger)} is no type of ${format}`,
      why: `these are: ${types.join(', ')}`,
      action: 'Give one of them.',
    };
  }
  if (new Set(type).size === type.length && (several || type.length < 2)) return undefined;
  return {
    what: `${option('type', type.join(','))} cannot be written`,
    why: several ? 'it names a type twice' : `${format} has one type`,
    action: 'Name each type once.',
  };
}

/** Options that the format has no use for. */
function idleFault(given: Given): Fault | undefined {
  const format = formatOf(given)!;
  const idle = (['target', 'modelfile', 'imatrix'] as const).find(
    (name) => given[name] && !FORMATS[format].options.includes(name),
  );
  if (idle) {
    const of = EXPORT_FORMATS.find((each) => FORMATS[each].options.includes(idle));
    return {
      what: `${option(idle)} belongs to ${option('format', of)}`,
      why: `${format} has no use for it`,
      action: 'Leave it out.',
    };
  }
  if (given.verify || !given.consumers) return undefined;
  return {
    what: `${option('consumers')} needs the comparison`,
    why: `${option('verify', false)} leaves it out`,
    action: `Leave ${option('verify', false)} out, or ${set('consumers', false)}.`,
  };
}

/** A share of nothing. */
function shareFault({ share: part, text: measured, calibration: read }: Given): Fault | undefined {
  if (part === undefined || measured !== undefined || read !== undefined) return undefined;
  return {
    what: `${option('share')} needs ${option('text')}`,
    why: `${option('text')} is not given`,
    action: `Give both, or leave ${option('share')} out.`,
  };
}

/** An importance that nothing would use, or that cannot be measured. */
function imatrixFault({ imatrix, type = [], calibration: text, saveImatrix }: Given): Fault | undefined {
  if (imatrix === undefined) return undefined;
  if (!type.some(usesImportance)) {
    return {
      what: `${option('imatrix')} changes nothing`,
      why:
        type.length === 0
          ? 'every weight keeps the type that it has'
          : `${type.join(', ')} has no search that it could guide`,
      action: `Give a type of fewer bits, such as ${option('type', 'q4_k_m')}, or leave it out.`,
    };
  }
  if (imatrix === 'auto' && text === undefined) {
    return {
      what: `${option('imatrix', 'auto')} needs a text`,
      why: 'it measures what the columns get while the model reads one',
      action: `Add ${option('calibration', 'FILE')}.`,
    };
  }
  if (imatrix === 'auto' || (text === undefined && saveImatrix === undefined)) return undefined;
  return {
    what: `${option(text === undefined ? 'saveImatrix' : 'calibration')} belongs to ${option('imatrix', 'auto')}`,
    why: 'the importance matrix is read from a file',
    action: 'Leave it out.',
  };
}

function measuredWords(kinds: unknown): string[] {
  if (!Array.isArray(kinds)) return [];
  return kinds.flatMap((kind: unknown) =>
    isObject(kind) && isObject(kind.perplexity) ? [`${String(kind.type)}: ${pplWords(kind.perplexity.ppl)}`] : [],
  );
}
