/** Conversations of the results panel: every model goes on with what it said itself, and the record holds all of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { encodePrompt } from '../../src/engine/tokenizer/prompt';
import { loadTokenizer } from '../../src/engine/tokenizer/tokenizer';
import type { PanelState } from '../../src/protocol/panel';
import { temporaryFolder } from '../support/temporary';
import { material } from './material';
import { ShownPanel } from './shown-panel';
import { describedClient } from './started';

const CHAT = { maxNewTokens: 6, chat: true, system: 'Be short.', sampling: null } as const;

describe('conversations in the results panel', function () {
  this.timeout(60_000);
  const client = describedClient();
  const { model, text } = material();
  const folder = temporaryFolder();
  const child = join(folder, 'pruned');
  let panel: ShownPanel;

  const open = (): Promise<ShownPanel> =>
    ShownPanel.open(model, {
      client: client(),
      settings: () => ({
        compute: { device: 'cpu', threads: 1 } as const,
        calibration: { file: text, samples: 4, length: 24, seed: 1234 },
        keepEnds: false,
        keep: '',
        recordFolders: [join(folder, 'runs')],
        inputFolders: [folder],
      }),
      neighbours: () => ({ adapters: [], checkpoints: [child, model] }),
    });
  const state = (): PanelState => panel.state;
  const columns = (): string[] => state().columns.map(({ id }) => id);

  before(async () => {
    await client().run({ kind: 'prune', checkpoint: model, blocks: [1, 4], out: child });
    panel = await open();
  });
  after(() => panel.close());

  it('gives each model its own answers back, with the system message, and records them', async () => {
    await panel.session.receive({ type: 'samples/write', prompt: 'The river', columns: columns(), settings: CHAT });
    const first = state().writing!;
    assert.deepEqual([first.chat, first.system, first.earlier], [true, 'Be short.', undefined]);
    await panel.session.receive({ type: 'samples/reply', prompt: 'And the sea?', settings: CHAT });
    const second = state().writing!;
    const turns = first.texts.map(({ text: content }) => [
      { role: 'user', content: 'The river' },
      { role: 'assistant', content },
    ]);
    assert.deepEqual([second.status, second.prompt, second.earlier], ['done', 'And the sea?', turns]);
    assert.notDeepEqual(turns[0], turns[1], 'the models answered alike');
    const { samples } = state().runs[0].digest;
    assert.deepEqual(
      [samples!.prompts, samples!.chat, samples!.system, samples!.earlier],
      [['And the sea?'], true, 'Be short.', turns],
    );
  });

  it('reads exactly the conversation: the ids are those of the template', async () => {
    const earlier = [
      [{ role: 'user', content: 'The river' } as const, { role: 'assistant', content: ' ran' } as const],
    ];
    const { result } = await client().run({
      kind: 'samples',
      prompts: ['And?'],
      columns: [{ label: 'a', checkpoint: model }],
      chat: true,
      system: 'Be short.',
      earlier,
      maxNewTokens: 2,
      device: 'cpu',
    });
    const tokenizer = await loadTokenizer(model);
    const written = 'system: Be short.</s>user: The river</s>assistant:  ran</s>user: And?</s>assistant: ';
    const ids = await tokenizer.encode(written, { addSpecialTokens: false });
    assert.equal(result.samples[0].promptTokens, ids.length);
    assert.deepEqual(
      await encodePrompt(tokenizer, 'And?', { chat: true, system: 'Be short.', earlier: earlier[0] }),
      ids,
    );
  });

  it('lets a model without a chat continue its text', async () => {
    const settings = { maxNewTokens: 6, chat: false, sampling: null };
    await panel.session.receive({ type: 'samples/write', prompt: 'The river', columns: columns(), settings });
    const [{ text: began }] = state().writing!.texts;
    await panel.session.receive({ type: 'samples/reply', prompt: '', settings });
    const { earlier, texts } = state().writing!;
    assert.deepEqual(
      earlier![0].map(({ content }) => content),
      ['The river', began],
    );
    const alone = await client().run({
      kind: 'generate',
      checkpoint: model,
      prompt: `The river${began}`,
      maxNewTokens: 6,
      device: 'cpu',
    });
    assert.equal(texts[0].text, (alone.result as { text: string }).text);
    await panel.session.receive({ type: 'samples/reply', prompt: 'Then', settings });
    assert.equal(state().writing!.prompt, ' Then', 'a word of its own');
  });

  it('says what to do when the conversation fills the context, and forgets it on request', async () => {
    const long = 'the and there '.repeat(400);
    await panel.session.receive({ type: 'samples/write', prompt: 'The river', columns: columns(), settings: CHAT });
    await panel.session.receive({ type: 'samples/reply', prompt: long, settings: CHAT });
    const { texts, earlier } = state().writing!;
    for (const { failure } of texts)
      assert.match(failure!, /no longer fits.* context is \d+.*Write less, or start a new chat/);
    await panel.session.receive({ type: 'samples/reply', prompt: 'And?', settings: CHAT });
    assert.deepEqual(state().writing!.earlier, earlier, 'asked again');
    assert.ok(state().writing!.texts.every(({ stopped }) => stopped !== 'failed'));
    await panel.session.receive({ type: 'samples/clear' });
    assert.equal(state().writing, null);
    await panel.session.receive({ type: 'samples/reply', prompt: 'More?', settings: CHAT });
    assert.equal(state().writing, null, 'there is nothing to go on with');
  });

  it('refuses turns that are none', async () => {
    const spec = { kind: 'samples', prompts: ['a'], columns: [{ label: 'a', checkpoint: model }] } as const;
    await assert.rejects(client().run({ ...spec, earlier: [[], []] }), /The conversation cannot go on/);
    await assert.rejects(client().run({ ...spec, system: 'x' }), /system.* needs .*chat/);
  });
});
