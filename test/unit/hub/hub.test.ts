/** The cache of Hugging Face, and downloads into it from a server that answers as huggingface.co does. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { openCheckpoint } from '../../../src/engine/checkpoint/open';
import { CancelledError, UserError } from '../../../src/engine/errors';
import { cachedModels, hubCacheFolder } from '../../../src/hub/cache';
import { describeModel, downloadModel, type HubPlace, hubPlace, isModelId, withGguf } from '../../../src/hub/download';
import { answer, hubFiles, ID, listing, REVISION, sendRange } from '../../support/hub';
import { temporaryFolder } from '../../support/temporary';

const SAMPLE = 'media/sample';
const FILES = hubFiles(SAMPLE);
type Listed = ReturnType<typeof listing>[number];

describe('the cache of Hugging Face', () => {
  it('is where huggingface_hub has it', () => {
    assert.equal(hubCacheFolder({ HF_HUB_CACHE: '/a' }), '/a');
    assert.equal(hubCacheFolder({ HF_HOME: '/b' }), join('/b', 'hub'));
    assert.equal(hubCacheFolder({ XDG_CACHE_HOME: '/c' }), join('/c', 'huggingface', 'hub'));
    assert.match(hubCacheFolder({}), /[/\\]\.cache[/\\]huggingface[/\\]hub$/);
  });

  it('lists models that are complete, with the revision of the branch', async () => {
    const cache = temporaryFolder();
    const put = (name: string, revision: string, file: string, target?: string): void => {
      const folder = join(cache, name, 'snapshots', revision);
      mkdirSync(folder, { recursive: true });
      if (target === undefined) writeFileSync(join(folder, file), 'weights');
      else symlinkSync(target, join(folder, file));
    };
    put('models--a--one', 'b'.repeat(40), 'model.safetensors');
    put('models--a--one', REVISION, 'model.safetensors');
    mkdirSync(join(cache, 'models--a--one', 'refs'));
    writeFileSync(join(cache, 'models--a--one', 'refs', 'main'), REVISION);
    put('models--gpt', REVISION, 'x.gguf');
    put('models--a--broken', REVISION, 'model.safetensors', '../../blobs/gone');
    put('models--a--pickles', REVISION, 'pytorch_model.bin');
    put('datasets--a--texts', REVISION, 'x.gguf');
    const found = await cachedModels(cache);
    assert.deepEqual(found.map(({ id }) => id).sort(), ['a/one', 'gpt']);
    const one = found.find(({ id }) => id === 'a/one')!;
    assert.equal(one.folder, join(cache, 'models--a--one', 'snapshots', REVISION));
    assert.equal(one.bytes, 7);
    assert.deepEqual(await cachedModels(join(cache, 'nothing')), []);
  });
});

describe('a download from Hugging Face', () => {
  let server: Server;
  let place: HubPlace;
  let asked: string[] = [];
  /** What a test makes the server do otherwise; true if it has answered. */
  let otherwise: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      if (!otherwise(request, response)) answer(FILES, request, response);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  beforeEach(() => {
    asked = [];
    otherwise = () => false;
    place = { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cache: temporaryFolder() };
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('brings a model that opens, without pickles and code, and the cache knows it', async () => {
    const model = await describeModel(ID, place);
    const wanted = ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];
    assert.deepEqual(model.files.map(({ path }) => path).sort(), wanted);
    assert.equal(
      model.bytes,
      wanted.reduce((sum, name) => sum + FILES[name].length, 0),
    );
    const progress: number[] = [];
    const folder = await downloadModel(model, place, { onProgress: ({ done }) => progress.push(done) });
    assert.deepEqual(readdirSync(folder).sort(), wanted);
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    assert.equal(progress.at(-1), model.bytes);
    const opened = await openCheckpoint(folder);
    assert.equal(opened.identity, (await openCheckpoint(SAMPLE)).identity);
    assert.deepEqual(
      (await cachedModels(place.cache)).map(({ id }) => id),
      [ID],
    );
    const refs = join(place.cache, 'models--someone--stories', 'refs');
    assert.equal(readFileSync(join(refs, 'main'), 'utf8'), REVISION);
    asked = [];
    assert.equal(await downloadModel(model, place), folder);
    assert.deepEqual(asked, [], 'what is there is not asked for again');
  });

  it('sends the token of the account to the place of the model', async () => {
    const seen: unknown[] = [];
    otherwise = (request) => {
      seen.push(request.headers.authorization);
      return false;
    };
    await describeModel(ID, { ...place, token: 'hf_secret' });
    assert.ok(seen.length > 0 && seen.every((each) => each === 'Bearer hf_secret'), String(seen));
  });

  it('refuses a file with another content, and leaves nothing of it', async () => {
    const model = await describeModel(ID, place);
    otherwise = (request, response) => {
      if (!request.url?.endsWith('/model.safetensors')) return false;
      sendRange(request, response, Buffer.alloc(FILES['model.safetensors'].length));
      return true;
    };
    await assert.rejects(downloadModel(model, place), (error: UserError) => {
      assert.match(error.why, /model\.safetensors arrived with another content/);
      return true;
    });
    const repository = join(place.cache, 'models--someone--stories');
    const { sha256 } = model.files.find(({ path }) => path === 'model.safetensors')!;
    assert.ok(readdirSync(join(repository, 'blobs')).every((name) => !name.startsWith(sha256!)));
    assert.ok(!readdirSync(join(repository, 'snapshots', REVISION)).includes('model.safetensors'));
  });

  it('makes no path of what a server says that is no digest, revision or size', async () => {
    const user = temporaryFolder();
    place = { ...place, cache: join(user, 'cache', 'hub') };
    const victim = join(user, 'victim.txt');
    writeFileSync(victim, 'mine');
    const way = '../../../../victim.txt';
    const lists: ((entry: Listed) => object)[] = [
      (entry) => ({ ...entry, oid: way }),
      (entry) => ({ ...entry, lfs: { oid: way, size: 4, pointerSize: 1 } }),
      (entry) => ({ ...entry, size: '537x93411', lfs: undefined }),
      (entry) => ({ ...entry, size: -1, lfs: undefined }),
      (entry) => ({ ...entry, path: '..\\..\\x.gguf' }),
    ];
    for (const change of lists) {
      otherwise = (request, response) => {
        if (!request.url?.includes('/tree/')) return false;
        response.end(
          JSON.stringify(listing(FILES).map((entry) => (entry.path === 'config.json' ? change(entry) : entry))),
        );
        return true;
      };
      await assert.rejects(describeModel(ID, place), /does not answer as a server of models does/);
    }
    otherwise = (request, response) => {
      if (!request.url?.includes('/revision/')) return false;
      response.end(JSON.stringify({ _id: '1', id: ID, sha: '../../..', private: false, gated: false }));
      return true;
    };
    await assert.rejects(describeModel(ID, place), /its revision is not one of Git/);
    // Nor of what it says when it is asked again.
    otherwise = () => false;
    const model = await describeModel(ID, place);
    otherwise = (request, response) => {
      if (!request.url?.includes('/paths-info/')) return false;
      response.end(JSON.stringify(listing(FILES).map((entry) => ({ ...entry, oid: way, lfs: undefined }))));
      return true;
    };
    await downloadModel(model, place);
    assert.equal(readFileSync(victim, 'utf8'), 'mine');
    assert.deepEqual(readdirSync(user).sort(), ['cache', 'victim.txt']);
  });

  it('goes to no other server with the token, and reads no endless list', async () => {
    const seen: unknown[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization ?? 'no token');
      response.end('[]');
    });
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const there = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    let next = `${there}/more`;
    otherwise = (request, response) => {
      if (!request.url?.includes('/tree/')) return false;
      response.writeHead(200, { link: `<${next}>; rel="next"` }).end('[]');
      return true;
    };
    const asking = { ...place, token: 'hf_secret' };
    await assert.rejects(describeModel(ID, asking), /cannot be used: it leads to http:/);
    assert.deepEqual(seen, []);
    next = `${place.address}/api/models/${ID}/tree/${REVISION}`;
    await assert.rejects(describeModel(ID, asking), /more than 200 pages/);
    assert.ok(asked.length < 300, String(asked.length));
    other.close();
  });

  it('can be cancelled, and leaves nothing half-written', async () => {
    const model = await describeModel(ID, place);
    const controller = new AbortController();
    otherwise = (request, response) => {
      if (!request.url?.endsWith('/model.safetensors') || request.headers.range === 'bytes=0-0') return false;
      const { length } = FILES['model.safetensors'];
      response.writeHead(206, { 'content-length': length, 'content-range': `bytes 0-${length - 1}/${length}` });
      response.write(FILES['model.safetensors'].subarray(0, 1000)); // the rest never comes
      setTimeout(() => controller.abort(), 50);
      return true;
    };
    await assert.rejects(downloadModel(model, place, { signal: controller.signal }), CancelledError);
    const blobs = readdirSync(join(place.cache, 'models--someone--stories', 'blobs'));
    assert.ok(
      blobs.every((name) => !name.endsWith('.incomplete')),
      blobs.join(),
    );
    assert.deepEqual(await cachedModels(place.cache), []);
  });

  it('says what is wrong with a name, with permissions and without weights', async () => {
    const why = async (status: number, id = ID): Promise<UserError> => {
      otherwise = (_, response) => (response.writeHead(status).end('{}'), true);
      return describeModel(id, place).then(
        () => assert.fail('it was described'),
        (error: unknown) => error as UserError,
      );
    };
    assert.match((await why(404)).why, /has no model of this name/);
    assert.match((await why(401)).action, /hf auth login/);
    assert.match((await why(500)).why, /could not be read/);
    otherwise = (request, response) => {
      if (!request.url?.includes('/tree/')) return false;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(listing({ 'pytorch_model.bin': FILES['pytorch_model.bin'] })));
      return true;
    };
    await assert.rejects(describeModel(ID, place), (error: UserError) => error.why.includes('no weights'));
    server.closeAllConnections();
    const gone = { ...place, address: 'http://127.0.0.1:9' };
    await assert.rejects(describeModel(ID, gone), (error: UserError) => error.why.includes('could not be read'));
  });

  it('offers GGUF files where there are no others', async () => {
    const files = {
      'a-q8_0.gguf': Buffer.alloc(20),
      'a-q4_0.gguf': Buffer.alloc(10),
      'config.json': Buffer.from('{}'),
    };
    otherwise = (request, response) => {
      if (!request.url?.includes('/tree/')) return false;
      response.end(JSON.stringify(listing(files)));
      return true;
    };
    const model = await describeModel(ID, place);
    assert.deepEqual(
      model.gguf.map(({ path }) => path),
      ['a-q4_0.gguf', 'a-q8_0.gguf'],
    );
    assert.equal(model.bytes, 12);
    const other = withGguf(model, model.gguf[1]);
    assert.deepEqual([other.files.length, other.bytes], [2, 22]);
  });

  it('refuses more than the disk has, before it asks for a file', async () => {
    const model = { ...(await describeModel(ID, place)), bytes: Number.MAX_SAFE_INTEGER };
    asked = [];
    await assert.rejects(downloadModel(model, place), (error: UserError) => error.why.includes('free'));
    assert.deepEqual(asked, []);
  });

  it('goes only to addresses with encryption, or to this machine', async () => {
    const addressOf = async (HF_ENDPOINT?: string) =>
      (await hubPlace('/cache', { HF_HOME: '/nowhere', ...(HF_ENDPOINT !== undefined && { HF_ENDPOINT }) })).address;
    assert.equal(await addressOf(), 'https://huggingface.co');
    assert.equal(await addressOf('https://hub.example.org/'), 'https://hub.example.org');
    assert.equal(await addressOf('http://127.0.0.1:8080'), 'http://127.0.0.1:8080');
    for (const wrong of ['http://hub.example.org', 'ftp://x', 'nonsense']) {
      await assert.rejects(addressOf(wrong), (error: UserError) => error.why.includes('HF_ENDPOINT'));
    }
  });

  it('knows the names of models', () => {
    for (const id of ['gpt2', 'HuggingFaceTB/SmolLM2-135M', 'a/b.c_d-e']) assert.ok(isModelId(id), id);
    for (const id of ['', 'a/b/c', '../x', 'a/..', 'a b', 'a/b?c', 'https://x/y', 'a--b/c'])
      assert.ok(!isModelId(id), id);
  });
});
