/** A server that answers as huggingface.co does, with the sample model as its only model. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

export const REVISION = 'a'.repeat(40);
export type Files = Readonly<Record<string, Buffer>>;

export const ID = 'someone/stories';

/** The files of the repository. @param folder of the sample model */
export function hubFiles(folder: string): Readonly<Record<string, Buffer>> {
  const sample = (name: string): Buffer => readFileSync(join(folder, name));
  return {
    'config.json': sample('config.json'),
    'model.safetensors': sample('model.safetensors'),
    'tokenizer.json': sample('tokenizer.json'),
    'tokenizer_config.json': sample('tokenizer_config.json'),
    'pytorch_model.bin': Buffer.from('a pickle'),
    'modeling_own.py': Buffer.from('code'),
    'onnx/model.safetensors': Buffer.from('below the top'),
  };
}

/** As huggingface.co answers; addresses that the library asks for. */
export function answer(files: Files, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  if (url.startsWith(`/api/models/${ID}/revision/`)) {
    sendJson(response, { _id: '1', id: ID, sha: REVISION, private: false, downloads: 1, gated: false, likes: 1 });
  } else if (url.startsWith(`/api/models/${ID}/tree/${REVISION}`)) sendJson(response, listing(files));
  else if (url.startsWith(`/api/models/${ID}/paths-info/`)) {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      const { paths } = JSON.parse(body) as { paths: string[] };
      sendJson(
        response,
        listing(files).filter(({ path }) => paths.includes(path)),
      );
    });
  } else {
    const name = Object.keys(files).find((each) => url === `/${ID}/resolve/${REVISION}/${each}`);
    if (name === undefined) response.writeHead(404).end();
    else sendRange(request, response, files[name]);
  }
}

export function listing(files: Files) {
  return Object.entries(files).map(([path, content]) => ({
    type: 'file',
    path,
    size: content.length,
    oid: createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex'),
    ...(/\.(safetensors|gguf|bin)$/.test(path) && {
      lfs: { oid: createHash('sha256').update(content).digest('hex'), size: content.length, pointerSize: 134 },
    }),
  }));
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

export function sendRange({ headers }: IncomingMessage, response: ServerResponse, content: Buffer): void {
  const [, from = '0', to = ''] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
  const end = to === '' ? content.length - 1 : Math.min(Number(to), content.length - 1);
  const part = content.subarray(Number(from), end + 1);
  response.writeHead(headers.range === undefined ? 200 : 206, {
    etag: '"x"',
    'content-length': part.length,
    ...(headers.range !== undefined && { 'content-range': `bytes ${from}-${end}/${content.length}` }),
  });
  response.end(part);
}
