/** Recognises other files in the place of a safetensors file by their first bytes. Each has its own remedy. */
import { UserError } from '../errors';

const START = 512;

/** The error for a file that begins with `start`, or undefined if it is not one of the known kinds. */
export function notSafetensors(start: Buffer, name: string): UserError | undefined {
  const text = start.toString('latin1', 0, START);
  if (text.startsWith('version https://git-lfs')) {
    return new UserError(
      `${name} holds no weights`,
      'it is a Git LFS pointer, the placeholder that a clone without LFS leaves',
      'Run "git lfs pull" in the model folder, or download the file itself.',
    );
  }
  if (isPickle(start)) return pickleError(name);
  if (text.startsWith('GGUF')) {
    return new UserError(
      `${name} is not a safetensors file`,
      'it is a GGUF file',
      'Give it a name that ends in .gguf, and open the file itself.',
    );
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    return new UserError(
      `${name} holds no weights`,
      'it is a web page, saved in place of the download',
      'Download the file again, signed in where the model asks for it.',
    );
  }
  if (/^[\t\n\r -~]{8}/.test(text)) {
    return new UserError(
      `${name} is not a safetensors file`,
      'it begins with text where the header length belongs',
      'Open a model folder or a .safetensors file.',
    );
  }
  return undefined;
}

export function pickleError(name: string): UserError {
  return new UserError(
    `${name} cannot be opened`,
    'it is a PyTorch pickle; loading one can run code, so Coppice does not read it',
    'Get the safetensors version of the model, or save it with safetensors (transformers: save_pretrained).',
  );
}

/** `torch.save` writes a zip archive, older versions a bare pickle of protocol 2 and up. */
function isPickle(start: Buffer): boolean {
  const zip = start.length >= 4 && start.readUInt32BE(0) === 0x504b0304;
  return zip || (start.length >= 2 && start[0] === 0x80 && start[1] >= 2 && start[1] <= 5);
}
