/** The page of the checkpoint editor. It tells the host that it is ready, and shows the description that it gets. */
import type { FileDescription, FromEditorPage, ShardDescription, ToEditorPage } from '../../src/protocol/editor';
import { type Child, el } from '../support/dom';
import { connect } from '../support/host';
import { keepReadable } from '../support/readable';
import { filesText } from '../support/amounts';
import { t } from '../support/l10n';
import { formatBytes, formatCount } from '../../src/format/numbers';
import { button, registerControls } from '../support/ui';
import { VirtualTable } from '../support/virtual-table';
import './editor.css';
import { actionBar, linkToActions } from './actions';
import { problemList } from './problems';
import { propertyTable } from './properties';
import type { EditorState } from './state';
import { sizeStrip } from './size-strip';
import { TensorSection } from './tensors';

const root = document.getElementById('page')!;
let tensors: TensorSection | undefined;

const host = connect<ToEditorPage, FromEditorPage, EditorState>((message) => {
  if (message.type === 'init') show(message.description);
  else tensors?.receive(message);
});

function show(description: FileDescription): void {
  const { name, format, facts, problems, problemCount, config, metadata, shards } = description;
  const copy = (text: string): void => host.post({ type: 'copy', text });
  tensors = description.tensors > 0 ? new TensorSection(host, description) : undefined;
  root.replaceChildren(
    el('header', {}, el('h1', {}, name), el('span', { class: 'quiet' }, format)),
    ...present(description.actions && actionBar(description.actions, (message) => host.post(message))),
    ...present(problems.length > 0 && problemList(problems, problemCount)),
    ...present(facts.length > 0 && section(t('Overview'), factList(facts))),
    ...present(
      description.strip.length > 0 &&
        section(
          t('Blocks'),
          sizeStrip(description.strip, (filter) => tensors?.filter(filter)),
        ),
    ),
    ...present(tensors?.element),
    ...present(config.length > 0 && section(t('Configuration'), propertyTable(t('Configuration'), config, copy))),
    ...present(metadata.length > 0 && section(t('Metadata'), propertyTable(t('Metadata'), metadata, copy))),
    ...present(shards.length > 1 && section(filesText(shards.length), shardTable(shards, copy))),
    ...present(
      shards.length === 0 &&
        problems.length > 0 &&
        el(
          'footer',
          {},
          button(t('Open as Text'), () => host.post({ type: 'openText' })),
        ),
    ),
  );
  const top = host.state?.pageTop;
  if (top) requestAnimationFrame(() => window.scrollTo({ top }));
}

const present = (child: HTMLElement | false | undefined): HTMLElement[] => (child ? [child] : []);

function section(title: string, ...children: readonly Child[]): HTMLElement {
  return el('section', { 'aria-label': title }, el('h2', {}, title), ...children);
}

function factList(facts: FileDescription['facts']): HTMLElement {
  return el(
    'dl',
    { class: 'facts' },
    ...facts.map(({ name, value, note, leadsToActions }) =>
      el(
        'div',
        {},
        el('dt', {}, name),
        el(
          'dd',
          {},
          leadsToActions ? linkToActions(value) : value,
          note === undefined ? null : el('div', { class: 'quiet' }, note),
        ),
      ),
    ),
  );
}

function shardTable(shards: readonly ShardDescription[], copy: (text: string) => void): HTMLElement {
  const table = new VirtualTable<ShardDescription>({
    label: t('Files'),
    columns: [
      { id: 'name', title: t('Name'), least: 220, grow: 3, text: (shard) => shard.name },
      { id: 'tensors', title: t('Tensors'), least: 90, numeric: true, text: (shard) => formatCount(shard.tensors) },
      { id: 'bytes', title: t('Size'), least: 100, numeric: true, text: ({ bytes }) => formatBytes(bytes) },
    ],
    request: (start, end) => queueMicrotask(() => table.put(start, shards.slice(start, end), shards.length)),
    onCopy: copy,
  });
  table.reset(shards.length);
  return table.element;
}

keepReadable();
registerControls();
window.addEventListener('scroll', () => host.keep({ pageTop: window.scrollY }), { passive: true });
host.post({ type: 'ready' });
