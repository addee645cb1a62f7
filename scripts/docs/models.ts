/** The pages of model families and of export formats, from the records of families, dialects and formats. */
import { isUnsupported, readConfigArchitecture } from '../../src/engine/checkpoint/config';
import { adaptableNames, type Architecture, linearNames } from '../../src/engine/checkpoint/architecture';
import { FAMILIES } from '../../src/engine/checkpoint/families';
import type { ModelFamily } from '../../src/engine/checkpoint/families/family';
import { ggufArchitecture } from '../../src/engine/checkpoint/gguf/as-gguf';
import { DIALECT_NAMES, DIALECTS } from '../../src/engine/checkpoint/gguf/dialects';
import { spellingOf } from '../../src/engine/checkpoint/gguf/spelling';
import { OTHER_KINDS } from '../../src/engine/checkpoint/other-kinds';
import { losesHeads } from '../../src/engine/checkpoint/width';
import { expertsIn, otherKindIn } from '../../src/engine/checkpoint/kinds/parts';
import { plainShape } from '../../src/engine/checkpoint/kinds/plain';
import { blockWeights } from '../../src/engine/checkpoint/weight-names';
import { BLOCK_TYPES } from '../../src/engine/formats/dtype';
import { healable } from '../../src/engine/heal/healable';
import { HEAL_METHODS } from '../../src/engine/heal/methods';
import { EXPORT_FORMATS, FORMATS } from '../../src/engine/write/formats';
import { LLAMA_CPP_TYPES } from '../../src/engine/write/gguf/kinds';
import { genaiType, transformersJsType } from '../../src/engine/write/onnx/folder/types';
import { runsInGenai } from '../../src/engine/write/onnx/notes';
import { onnxRefusal } from '../../src/engine/write/onnx/written-blocks';
import { ONNX_FILES, ONNX_KINDS, ONNX_TARGETS } from '../../src/engine/write/onnx/kinds';
import { code, codes, list, type Page, page, prose, section, sentence, table } from './page';

/** What the configs of families must say of their blocks. */
const KINDS: Readonly<Record<string, object>> = {
  lfm2: { layer_types: Array.from({ length: 12 }, (_, block) => (block % 3 === 2 ? 'full_attention' : 'conv')) },
  granitemoehybrid: { layer_types: Array<string>(12).fill('attention'), num_local_experts: 0 },
  falcon_h1: { mamba_d_ssm: 64, mamba_n_heads: 4 },
};

/** What a config must say besides, for models of the family that have experts where others have none. */
const WITH_EXPERTS: Readonly<Record<string, object>> = {
  granitemoehybrid: { num_local_experts: 8, num_experts_per_tok: 2, shared_intermediate_size: 96 },
};

/** A model of the family whose config says nothing but sizes and these. */
function plainModel({ modelType, className, defaults }: ModelFamily, more: object = {}): Architecture {
  const architecture = readConfigArchitecture({
    model_type: modelType,
    architectures: [className],
    hidden_size: 64,
    intermediate_size: 96,
    num_hidden_layers: 12,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 16,
    vocab_size: 288,
    max_position_embeddings: defaults.context,
    sliding_window: 32,
    bos_token_id: 1,
    eos_token_id: 2,
    ...KINDS[modelType],
    ...more,
  });
  if (isUnsupported(architecture)) throw new Error(`${modelType}: ${architecture.why}`);
  return architecture;
}

const models = FAMILIES.map((family) => ({ family, architecture: plainModel(family) }));

/** Whether it is written, for what, and the types by which programs load it, where these are not the family's. */
function onnxOf({ modelType }: ModelFamily, architecture: Architecture): string {
  if (onnxRefusal(architecture, 'cpu')) return 'no';
  const genai = runsInGenai(architecture);
  const types = [transformersJsType(architecture).model_type, ...(genai ? [genaiType(architecture)] : [])];
  return [
    'yes',
    ...(types.every((type) => type === modelType) ? [] : [`as ${codes([...new Set(types)])}`]),
    ...(genai ? [] : ['in transformers.js']),
    ...(onnxRefusal(architecture, 'webgpu') ? ['on the CPU'] : []),
  ].join(', ');
}

/** The architecture of a family with other blocks. */
const ggufOf = ({ modelType }: ModelFamily, architecture: Architecture): string => {
  const { family: own } = ggufArchitecture(architecture);
  const dialect = DIALECTS.find(({ family }) => family === modelType || family === own);
  return dialect ? code(dialect.name) : 'no';
};

const plainModels = models.filter(({ architecture }) => otherKindIn(architecture.layers) === undefined);

/** The Linears that adapters have, by the names in files, if these are not all. */
function adapted(architecture: Architecture): string {
  const names = adaptableNames(architecture);
  if (names.length === linearNames(architecture).length && !hasExperts(architecture)) return 'every Linear';
  const modules = names.flatMap((name) => {
    const weights = architecture.layers.map((_, block) => blockWeights(architecture, block)[name]);
    return (
      weights
        .find((weight) => weight !== undefined)
        ?.name.split('.')
        .at(-2) ?? []
    );
  });
  return codes(modules);
}

const hasExperts = ({ layers }: Architecture): boolean => layers.some(expertsIn);

/** Whether experts can be dropped: yes, of some models, or the family has none. */
function dropped(family: ModelFamily, architecture: Architecture): string {
  if (hasExperts(architecture)) return 'yes';
  const more = WITH_EXPERTS[family.modelType];
  return more && hasExperts(plainModel(family, more)) ? 'where there are any' : 'none';
}

/** What holds for blocks of attention and a dense FFN. */
const plainCells = (family: ModelFamily, architecture: Architecture): string[] => [
  architecture.layers.map(plainShape).some(losesHeads) ? 'yes' : 'kept',
  family.narrower === undefined ? 'in Coppice alone' : 'equal widths',
  code(spellingOf(architecture).dialect.name),
];

const notHealed = models.filter(
  ({ architecture }) =>
    architecture.style.norms !== 'before' && HEAL_METHODS.some((method) => !healable(architecture, method)),
);

export function modelsPage(): Page {
  return page(
    'models.md',
    'Models',
    `Coppice computes with ${FAMILIES.length} families of models, in F32, F16 and BF16 and from GGUF files. Every family can be scored, pruned, ` +
      'retrained (LoRA and all weights) and evaluated; those whose blocks all have attention and a dense FFN can also be made ' +
      'narrower, and written in every [format](formats.md), the others as safetensors and, where the second table says so, GGUF and ONNX.',
    section(
      'Families',
      table(
        ['Family', '`model_type`', 'Models', 'What its blocks have'],
        FAMILIES.map(({ name, modelType, models: all, special }) => [
          name,
          code(modelType),
          prose(all),
          prose(special),
        ]),
      ),
    ),
    section(
      'What differs between them',
      table(
        [
          ...['Family', 'Healing', 'Adapters (LoRA)', 'Experts dropped'],
          ...['Width: attention heads', 'Width: opens in transformers', 'GGUF architecture', 'ONNX'],
        ],
        models.map(({ family, architecture }) => [
          family.name,
          codes(HEAL_METHODS.filter((method) => healable(architecture, method))),
          adapted(architecture),
          dropped(family, architecture),
          ...(otherKindIn(architecture.layers) === undefined
            ? plainCells(family, architecture)
            : ['no', 'no', ggufOf(family, architecture)]),
          onnxOf(family, architecture),
        ]),
      ),
      list([
        `_Healing_: methods of [coppice heal](cli/heal.md). ${notHealed.map(({ family }) => family.name).join(', ')} have a norm behind o\\_proj and ` +
          'down\\_proj, which a fold cannot pass. Experts stay as they are: a refit corrects attention, Mamba, and dense FFNs, also those ' +
          'beside experts (Granite 4, which then has no fold either).',
        '_Adapters_: what [coppice retrain](cli/retrain.md) adapts unless others are named. The h models of Granite 4 have them on `in_proj` of ' +
          'Mamba too. Experts have none. Full training trains every weight of every family.',
        '_Experts dropped_: by [coppice experts](cli/experts.md).',
        '_Width_: blocks of equal widths open in a class of transformers, if the config of the class can say these widths; blocks that ' +
          'differ open in Coppice alone, and in llama.cpp from a GGUF file of the architecture `deci`.',
        '_GGUF architecture_: of a model whose blocks are all equal. Models of LLaMA’s block whose blocks differ in width become `deci`. ' +
          'With experts, what llama.cpp computes otherwise is refused by name: dense blocks among those with experts, weights of ' +
          'experts that are divided by their sum or not as its architecture has it (`norm_topk_prob`), `clip_qkv`. Of LFM2, biases of the ' +
          'convolutions (`conv_bias`); of Granite 4, which becomes `granitehybrid` with Mamba and `granitemoe` with experts alone, biases of Mamba’s matrices, convolutions without, bounded steps of time, and experts alone without rotation; of Qwen3.5, keys and values of different widths; of Falcon-H1, norms and biases of Mamba. One block with attention has to be left.',
        '_ONNX_: the type by which transformers.js and onnxruntime-genai load it. Of Granite 4, models without Mamba.',
      ]),
    ),
    section(
      'GGUF files',
      `Coppice reads files of llama.cpp’s architectures ${codes(DIALECT_NAMES)}, in one file or several. Their weights may be ` +
        `F32, F16, BF16, ${BLOCK_TYPES.join(', ')}.`,
    ),
    section(
      'What is not supported',
      'Other models can be inspected, and Coppice says what it lacks for them. A field of a config that changes the mathematics and that ' +
        'Coppice does not know is refused by its name. Checkpoints whose safetensors are quantized (GPTQ, AWQ, bitsandbytes, FP8, MLX) can be ' +
        'inspected only.',
      table(
        ['`model_type`, for example', 'What the model is'],
        OTHER_KINDS.map(({ types, is }) => [
          types.slice(0, 5).map(code).join(', '),
          sentence(prose(is.replace(/^an? /, ''))),
        ]),
      ),
    ),
    section(
      'See also',
      list(['[Formats](formats.md), [coppice inspect](cli/inspect.md), [Export](../guide/export.md).']),
    ),
  );
}

export function formatsPage(): Page {
  return page(
    'formats.md',
    'Export formats',
    '[coppice export](cli/export.md) writes a model for the program that runs it. Every [family](models.md) whose blocks all have attention and a dense FFN can be written in every format, the others as safetensors and many as GGUF; ' +
      'what single models are refused for is below. Which one to take is in [Export](../guide/export.md).',
    table(
      ['`--format`', 'Programs', 'Types', 'Type if none is named', 'Proposed by _Export…_', 'What it is'],
      EXPORT_FORMATS.map((format) => {
        const { programs, types, unnamed, proposed, extension, several, isCheckpoint } = FORMATS[format];
        const what =
          extension === undefined
            ? `a folder${several ? ', with a model for each type' : ''}`
            : `a file ${code(extension)}`;
        return [
          code(format),
          programs.join(', '),
          codes(types),
          unnamed === 'stored' ? 'that of each weight' : code(unnamed),
          proposed === undefined ? 'that of the model' : code(proposed),
          `${what}${isCheckpoint ? '; Coppice opens it' : ''}`,
        ];
      }),
    ),
    section(
      'GGUF',
      `Norms and biases are F32 in every type. The types ${codes(LLAMA_CPP_TYPES)} are only made by llama.cpp: Coppice writes \`f32\`, \`f16\` or ` +
        '`bf16`, and llama-quantize makes them from it.',
      table(
        ['Family', 'Written as', 'Biases may be on', 'Refused besides'],
        plainModels.map(({ family, architecture }) => {
          const { dialect } = spellingOf(architecture);
          return [
            family.name,
            code(dialect.name),
            dialect.biases.length === 0 ? 'none' : codes(dialect.biases),
            [
              dialect.square ? 'heads that are together not as wide as the model' : '',
              dialect.tied === 'always' ? 'a head of its own' : '',
              dialect.perBlock || dialect.name === 'llama' ? '' : 'blocks that differ in width',
              dialect.rotation?.skips ? 'removals that move blocks without rotation: remove four blocks in a row' : '',
            ]
              .filter((text) => text !== '')
              .join('; '),
          ];
        }),
      ),
      'A tokenizer is written if it is BPE on bytes with a pattern of words that llama.cpp has a name for, or BPE on pieces that falls back to ' +
        'bytes. Others are refused, with the reason.',
    ),
    section(
      'ONNX',
      'A folder for transformers.js, onnxruntime and onnxruntime-genai. Every type has a file of its own:',
      table(
        ['`--type`', 'File'],
        ONNX_KINDS.map((kind) => [code(kind), code(`onnx/${ONNX_FILES[kind]}`)]),
      ),
      `\`--target\` is one of ${codes(ONNX_TARGETS)}. Refused are graphs of more than 2 GiB without their weights, weights that do not fit into ` +
        'float16 (`fp16`), and weights that are not finite (`q8`, `q4`).',
    ),
    section('See also', list(['[coppice verify](cli/verify.md), [models](models.md), [Export](../guide/export.md).'])),
  );
}
