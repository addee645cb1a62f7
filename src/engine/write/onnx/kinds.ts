/** The kinds of ONNX models that are written, and the names of their files. Pure data, which definitions of jobs import. */

/** How numbers are stored and multiplied: float32, float16, or weights in blocks of 8 or 4 bits. */
export const ONNX_KINDS = ['fp32', 'fp16', 'q8', 'q4'] as const;
export type OnnxKind = (typeof ONNX_KINDS)[number];

/** What the model is to run on: the CPU (also as WebAssembly), or a GPU through WebGPU. */
export const ONNX_TARGETS = ['cpu', 'webgpu'] as const;
export type OnnxTarget = (typeof ONNX_TARGETS)[number];

/** The folder of the models within the folder that is written. transformers.js looks there. */
export const ONNX_FOLDER = 'onnx';

/** File names by which transformers.js finds a kind (its `dtype` has the same words). */
export const ONNX_FILES: Readonly<Record<OnnxKind, string>> = {
  fp32: 'model.onnx',
  fp16: 'model_fp16.onnx',
  q8: 'model_quantized.onnx',
  q4: 'model_q4.onnx',
};

/** Most files of external data that transformers.js accepts beside one model. */
export const MAX_DATA_FILES = 100;

/** Name of a model's external data, by number from 0: "model.onnx_data", "model.onnx_data_1", … */
export function onnxDataName(model: string, number: number): string {
  return number === 0 ? `${model}_data` : `${model}_data_${number}`;
}
