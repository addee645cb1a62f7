/** Options of `exportModel`. Made by `npm run manifest` from the definition of the job: change it there. */

/** Options of {@link exportModel}. */
export interface ExportOptions {
  /** Folder, .safetensors file, index or .gguf file. */
  readonly checkpoint: string;
  /**
   * Leave out blocks without writing anything: [10, 12, 13, 14] or ["10.attention", "12.ffn"]. Numbers of blocks,
   * from 0, and names of modules.
   */
  readonly remove?: readonly (number | string)[];
  /** Use only the heads and neurons that this file keeps (width() with `save`), without writing anything. */
  readonly width?: string;
  /**
   * Use the healed weights of this file without writing anything; also leaves out the blocks that they were found
   * without.
   */
  readonly heal?: string;
  /** Apply a LoRA adapter without writing anything; also leaves out the blocks that it was trained without. */
  readonly adapter?: string;
  /** Use the adapter although it was trained on other files: the same model in another form. */
  readonly otherBase?: boolean;
  /** Safetensors, gguf (llama.cpp, Ollama) or onnx; gguf if `out` ends in .gguf. */
  readonly format?: 'safetensors' | 'gguf' | 'onnx';
  /**
   * Type of the weights. safetensors: f32, f16, bf16; gguf: f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1; onnx: fp32,
   * fp16, q8, q4, or several of them (default: as stored; of onnx fp32).
   */
  readonly type?: readonly string[];
  /** The new file (gguf) or folder; it must not exist. */
  readonly out: string;
  /**
   * What an ONNX model is to run on: cpu (also WebAssembly), or webgpu, whose fused attention is wrong (default:
   * cpu).
   */
  readonly target?: 'cpu' | 'webgpu';
  /** Also write an Ollama Modelfile beside a GGUF file. */
  readonly modelfile?: boolean;
  /** Also measure the perplexity of this text with the new files (UTF-8). */
  readonly text?: string;
  /**
   * Tokens per window of that text. A whole number of at least 2.
   * @defaultValue 128
   */
  readonly window?: number;
  /**
   * Read one part of the text only: choose, its first 70 %, where blocks are chosen or weights fitted; judge, the
   * rest.
   */
  readonly share?: 'choose' | 'judge';
  /** Use only the first n windows of that text. A whole number of at least 1. */
  readonly limit?: number;
  /**
   * With `text`: begin-of-text token. auto: before every row, window, example and question, if the model’s own
   * tokenizer puts one before a text; window: there in any case; stream: once before a whole text, not before
   * questions, as in the paper; none: nowhere.
   * @defaultValue "auto"
   */
  readonly bos?: 'auto' | 'window' | 'stream' | 'none';
  /**
   * `false`: write without comparing the result with the model.
   * @defaultValue true
   */
  readonly verify?: boolean;
  /**
   * Also run the result in llama.cpp, transformers.js and onnxruntime-genai where they are installed, and note it in
   * the folder.
   */
  readonly consumers?: boolean;
  /**
   * A folder whose node_modules, or whose Python, these programs may come from too; code beside the model never runs.
   */
  readonly consumersFrom?: string;
  /**
   * Where to compute.
   * @defaultValue "auto"
   */
  readonly device?: 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';
  /** CPU threads. A whole number of at least 1. */
  readonly threads?: number;
  /** Budget for hidden states and batches, such as 2_000_000_000 or 838_860_800. In bytes. */
  readonly memory?: number;
}
