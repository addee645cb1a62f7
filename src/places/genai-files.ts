/** The files of an exported ONNX folder that onnxruntime-genai loads: one model, its tokenizer and its config. */
import { basename, dirname, join, posix } from 'node:path';
import { findAccompanyingFiles } from '../engine/checkpoint/accompanying-files';
import { UserError } from '../engine/errors';
import { namesIn } from '../engine/files/names';
import { isBelow } from '../engine/files/paths';
import { readTextFile } from '../engine/files/text-file';
import { isObject } from '../format/json';
import { fileAt, type ModelFile } from './model-file';

const CONFIG = 'genai_config.json';
const MOST_BYTES = 2 ** 20;
const OTHERS = ['config.json', 'README.md'];

/** @throws UserError where onnxruntime-genai does not run the folder */
export async function genaiFiles(folder: string): Promise<ModelFile[]> {
  const names = await namesIn(folder);
  if (!names.includes(CONFIG)) {
    throw new UserError(
      `${folder} cannot be added`,
      `it has no ${CONFIG}: onnxruntime-genai, by which programs run such folders, does not know its architecture`,
      'Use it with onnxruntime or transformers.js, as its README says; or export the model as GGUF.',
    );
  }
  const model = await modelNamed(join(folder, CONFIG));
  const inside = dirname(model);
  const stem = basename(model);
  const parts = (await namesIn(join(folder, inside))).filter((name) => name === stem || isDataOf(stem, name));
  if (!parts.includes(stem)) throw broken(folder, `${model}, which ${CONFIG} names, is missing`);
  const { found } = await findAccompanyingFiles(folder);
  const own = [CONFIG, ...OTHERS.filter((name) => names.includes(name))];
  const paths = [...own, ...parts.map((name) => posix.join(inside, name))];
  return [
    ...(await Promise.all(paths.map((path) => fileAt(path, join(folder, path))))),
    ...found.map(({ name, file, bytes }) => ({ path: name, file, bytes })),
  ];
}

/** Weights beside a model: model.onnx_data, model.onnx_data_1, model.onnx.data. */
const isDataOf = (stem: string, name: string): boolean =>
  name.startsWith(stem) && /^[._]data([._]\d+)?$/.test(name.slice(stem.length));

async function modelNamed(file: string): Promise<string> {
  const { text } = await readTextFile(
    file,
    MOST_BYTES,
    'Files of this kind have some kilobytes; export the model again.',
  );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken(file, 'it is not JSON');
  }
  const model = isObject(value) ? value.model : undefined;
  const decoder = isObject(model) ? model.decoder : undefined;
  const name = isObject(decoder) ? decoder.filename : undefined;
  if (typeof name !== 'string' || name === '' || !isBelow(name))
    throw broken(file, 'model.decoder.filename names no file');
  return posix.normalize(name);
}

const broken = (path: string, why: string): UserError =>
  new UserError(`${path} cannot be added`, why, 'Export the model again.');
