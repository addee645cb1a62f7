/** The downloader against a server on this machine: what arrives, what is refused, and that nothing half-written stays. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { CancelledError, UserError } from '../../../../src/engine/errors';
import { TASK_NAMES } from '../../../../src/engine/evaluate/tasks/catalogue';
import { download, type OpenUrl } from '../../../../src/engine/evaluate/tasks/download';
import { type DownloadPlan, planDownload } from '../../../../src/engine/evaluate/tasks/download-plan';
import { SOURCES } from '../../../../src/engine/evaluate/tasks/sources';
import { fileOfZip, ZipProblem } from '../../../../src/engine/evaluate/tasks/zip';
import { describeShared, shared } from '../../../support/shared';
import { temporaryFolder } from '../../../support/temporary';

const CONTENT = Buffer.from('{"goal": "x"}\n'.repeat(2000));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A plan to fetch one file of CONTENT. */
function planOf(folder: string, more: Partial<DownloadPlan['files'][number]> = {}): DownloadPlan {
  const file = {
    task: 'piqa' as const,
    url: 'https://data.example/piqa/valid.jsonl',
    bytes: CONTENT.length,
    sha256: sha256(CONTENT),
    file: 'piqa_valid.jsonl',
    path: join(folder, 'piqa_valid.jsonl'),
    state: 'missing' as const,
    ...more,
  };
  return { folder, files: [file], byHand: [], found: [], bytes: file.bytes };
}

describe('evaluate/tasks: download', () => {
  let server: Server;
  let answer: RequestListener;
  let asked: string[];
  /** Addresses of the plan, on the server of this test. */
  const open: OpenUrl = (url, signal) => {
    const { port } = server.address() as AddressInfo;
    return fetch(`http://127.0.0.1:${port}${new URL(url).pathname}`, { signal, redirect: 'error' });
  };

  before((done) => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      answer(request, response);
    });
    server.listen(0, '127.0.0.1', done);
  });
  beforeEach(() => {
    asked = [];
    answer = (_, response) => response.end(CONTENT);
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });

  it('writes the file under its name when it is whole and right, into a folder that it makes', async () => {
    const folder = join(temporaryFolder(), 'new', 'tasks');
    const steps: number[] = [];
    const job = { onProgress: ({ done }: { done: number }) => void steps.push(done) };
    assert.deepEqual(await download(planOf(folder), job, open), [join(folder, 'piqa_valid.jsonl')]);
    assert.deepEqual(readFileSync(join(folder, 'piqa_valid.jsonl')), CONTENT);
    assert.deepEqual(readdirSync(folder), ['piqa_valid.jsonl']);
    assert.equal(steps.at(-1), CONTENT.length);
    assert.deepEqual(asked, ['/piqa/valid.jsonl']);
  });

  it('asks for nothing that is there', async () => {
    const folder = temporaryFolder();
    assert.deepEqual(await download(planOf(folder, { state: 'there' }), {}, open), []);
    assert.deepEqual(await download(planOf(folder, { state: 'other' }), {}, open), []);
    assert.deepEqual(asked, []);
  });

  it('takes the task’s file out of an archive', async () => {
    const folder = temporaryFolder();
    const zip = zipOf({ 'readme.txt': Buffer.from('x'), 'a/test.jsonl': CONTENT });
    answer = (_, response) => response.end(zip);
    const archive = { bytes: zip.length, sha256: sha256(zip), member: 'a/test.jsonl' };
    await download(planOf(folder, archive), {}, open);
    assert.deepEqual(readFileSync(join(folder, 'piqa_valid.jsonl')), CONTENT);
    await assert.rejects(download(planOf(folder, { ...archive, member: 'b' }), {}, open), /it has no file b/);
  });

  const REFUSED: readonly (readonly [string, RequestListener, RegExp])[] = [
    ['other bytes', (_, response) => response.end(Buffer.alloc(CONTENT.length)), /its SHA-256 is [0-9a-f]{64}, not/],
    [
      'more bytes than stated',
      (_, response) => response.end(Buffer.concat([CONTENT, CONTENT])),
      /more than the 28000 bytes/,
    ],
    ['fewer bytes', (_, response) => response.end(CONTENT.subarray(0, 100)), /it ended after 100 of 28000 bytes/],
    ['a page that says no', (_, response) => response.writeHead(404).end('no'), /the server answers 404/],
    [
      'another address',
      (_, response) => response.writeHead(302, { location: '/other' }).end(),
      /the connection failed/,
    ],
    [
      'a connection that breaks',
      (_, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        response.write(CONTENT.subarray(0, 1000), () => response.destroy());
      },
      /the connection failed/,
    ],
  ];

  for (const [what, listener, message] of REFUSED) {
    it(`refuses ${what}, says what to do, and leaves nothing`, async () => {
      const folder = temporaryFolder();
      answer = listener;
      await assert.rejects(download(planOf(folder), {}, open), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.match(error.what, /piqa_valid\.jsonl from https:\/\/data\.example/);
        assert.match(error.why, message);
        assert.match(error.action, /by hand: Take valid\.jsonl/);
        return true;
      });
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it('refuses a server that is not there', async () => {
    const nobody: OpenUrl = () => fetch('http://127.0.0.1:1/');
    await assert.rejects(download(planOf(temporaryFolder()), {}, nobody), /the connection failed \(/);
  });

  it('stops when it is cancelled, within a file', async () => {
    const folder = temporaryFolder();
    const controller = new AbortController();
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length });
      response.write(CONTENT.subarray(0, 1000)); // and never more
    };
    const job = { signal: controller.signal, onProgress: () => controller.abort() };
    await assert.rejects(download(planOf(folder), job, open), CancelledError);
    assert.deepEqual(readdirSync(folder), []);
    await assert.rejects(download(planOf(folder), job, open), CancelledError);
    assert.equal(asked.length, 1);
  });

  it('goes on with the files that a run before left', async () => {
    const folder = temporaryFolder();
    const [first] = planOf(folder).files;
    const second = { ...first, url: 'https://data.example/second', path: join(folder, 'second'), file: 'second' };
    const plan = { ...planOf(folder), files: [first, second], bytes: 2 * CONTENT.length };
    answer = ({ url }, response) => (url === '/second' ? response.writeHead(500).end() : response.end(CONTENT));
    await assert.rejects(download(plan, {}, open), /second from .*the server answers 500/);
    assert.deepEqual(readdirSync(folder), ['piqa_valid.jsonl']);
  });

  it('names the place that cannot be written', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await assert.rejects(download(planOf(join(folder, 'file')), {}, open), /cannot be written/);
  });
});

describe('evaluate/tasks: the plan of a download', () => {
  it('names address, size, hash and licence of what is missing, and what is to be done by hand', async () => {
    const folder = join(temporaryFolder(), 'none');
    const plan = await planDownload(folder, TASK_NAMES);
    assert.ok(plan.files.every(({ state }) => state === 'missing'));
    assert.deepEqual(
      [...new Set(plan.files.map(({ task }) => task)), ...plan.byHand.map(({ task }) => task)].sort(),
      [...TASK_NAMES].sort(),
    );
    assert.equal(
      plan.bytes,
      plan.files.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    for (const { url, sha256: hash, bytes } of plan.files) {
      assert.match(url, /^https:\/\/(raw\.githubusercontent\.com\/[^/]+\/[^/]+\/[0-9a-f]{40}\/|.*\.zip$)/);
      assert.match(hash, /^[0-9a-f]{64}$/);
      assert.ok(bytes > 0 && bytes < 20e6);
    }
    for (const { licence, byHand, from } of Object.values(SOURCES)) {
      for (const text of [licence, byHand, from]) assert.notEqual(text, '');
    }
  });

  it('keeps another file of the same name, and finds what was put there by hand', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'hellaswag_val.jsonl'), 'mine');
    mkdirSync(join(folder, 'winogrande'));
    writeFileSync(join(folder, 'winogrande/dev.jsonl'), '');
    const { files, found, byHand, bytes } = await planDownload(folder, ['hellaswag', 'winogrande', 'arc_easy']);
    assert.deepEqual(
      files.map(({ state }) => state),
      ['other'],
    );
    assert.deepEqual(found, ['winogrande']);
    assert.deepEqual(
      byHand.map(({ task }) => task),
      ['arc_easy'],
    );
    assert.equal(bytes, 0);
  });
});

describeShared('evaluate/tasks: the plan of a download', () => {
  it('knows the data sets’ own files by their hash', async () => {
    const { files } = await planDownload(shared('data', 'zeroshot'), ['piqa', 'boolq']);
    assert.deepEqual(
      files.map(({ file, state }) => [file, state]),
      [
        ['piqa_valid.jsonl', 'there'],
        ['piqa_valid-labels.lst', 'there'],
        ['boolq_val.jsonl', 'missing'],
      ],
    );
  });
});

describe('evaluate/tasks: archives', () => {
  it('refuses what is no archive, damaged, or too large', () => {
    const zip = zipOf({ a: CONTENT });
    assert.throws(() => fileOfZip(CONTENT, 'a', 1e6), ZipProblem);
    assert.throws(() => fileOfZip(Buffer.alloc(0), 'a', 1e6), ZipProblem);
    assert.throws(() => fileOfZip(zip, 'a', 100), /a in it has 28000 bytes, more than the 100 allowed/);
    for (let at = 0; at < zip.length; at++) {
      const damaged = Buffer.from(zip);
      damaged[at] ^= 0xff;
      try {
        fileOfZip(damaged, 'a', 1e6);
      } catch (error) {
        assert.ok(error instanceof ZipProblem, `byte ${at}: ${String(error)}`);
      }
    }
  });

  it('reads a file that is stored as it is', () => {
    assert.deepEqual(fileOfZip(zipOf({ a: CONTENT, b: Buffer.from('b') }, false), 'b', 1e6), Buffer.from('b'));
  });
});

/** An archive of these files; without checksums, which are not looked at. */
function zipOf(files: Readonly<Record<string, Buffer>>, packed = true): Buffer {
  const locals: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const data = packed ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(packed ? 8 : 0, 10);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    locals.push(local, Buffer.from(name), data);
    entries.push(entry, Buffer.from(name));
    offset += 30 + name.length + data.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}
