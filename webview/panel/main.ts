/** The results panel. It sends `ready`, holds the host's state, and redraws the sections whose state changed. */
import type { HostMessage, PanelMessage } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { t } from '../support/l10n';
import { watchFaults } from '../support/faults';
import { connect } from '../support/host';
import { keepReadable } from '../support/readable';
import { registerControls } from '../support/ui';
import './panel.css';
import { CARDS } from './cards';
import type { Card, Context, Section } from './sections/section';
import { moreSection } from './sections/more';
import { planSection } from './sections/plan';
import { qualityCard } from './sections/quality';
import { runsSection } from './sections/runs';
import { samplesCard } from './sections/samples';
import { dockSection } from './sections/dock';
import { figuresSection } from './sections/figures';
import { jobsSection } from './sections/jobs';
import { legendSection } from './sections/legend';
import { firstAsked } from './state/examples';
import { type Held, receive } from './state/state';
import { cardOf, showing } from './state/shown-runs';
import { readView, type ViewState } from './state/view-state';

interface Kept {
  /** VS Code needs it to restore the panel. */
  readonly checkpoint: string;
  readonly view: ViewState;
}

const host = connect<HostMessage, PanelMessage, Kept>(receiveMessage);
const root = document.getElementById('page')!;
let view: ViewState = readView(host.state?.view);
let held: Held | undefined;
let drawn: Section[] = [];
/** Two have no place in a report: a report has neither a plan to compare nor a host that writes text. */
const ALL: readonly Card[] = [...CARDS, qualityCard, samplesCard];
const FOLDED = ALL.filter(({ fold }) => fold !== undefined).toSorted((a, b) => a.fold! - b.fold!);

/** The cards that no frame has drawn yet. */
let coming: ((context: Context) => Section)[] = [];
/** The card to scroll to, once all cards stand. */
let target: string | undefined;
let frame = 0;

const context: Context = {
  send: (message) => host.post(message),
  view: () => view,
  setView: (changes) => {
    view = { ...view, ...changes };
    host.keep({ view });
    draw();
  },
};

/**
 * Redraws once in the next frame, for any number of messages. The first frame has the head and the first card; each frame
 * after it adds a card, so that what one reads first does not wait for what is below it.
 */
function draw(): void {
  cancelAnimationFrame(frame);
  frame = requestAnimationFrame(() => {
    if (!held) return;
    if (drawn.length === 0) build();
    else addCard(coming.shift());
    for (const section of drawn) section.update(held.state, view);
    if (coming.length > 0) draw();
    else if (target !== undefined && root.querySelector(selectorOf(target))) scrollTo(target);
  });
}

const cards = el('div', { class: 'cards' });

function build(): void {
  const figures = figuresSection();
  drawn = [
    planSection(context),
    dockSection(context, figures.element),
    legendSection(context),
    figures,
    jobsSection(context),
  ];
  root.replaceChildren(...drawn.map(({ element }) => element), cards);
  coming = [
    ...ALL.filter(({ fold }) => fold === undefined).map(({ make }) => make),
    (own) => moreSection(own, FOLDED, draw),
    (own) => runsSection(own, ALL),
  ];
  addCard(coming.shift());
}

function addCard(make?: (context: Context) => Section): void {
  if (!make) return;
  const card = make(context);
  drawn.push(card);
  cards.append(card.element);
}

function receiveMessage(message: HostMessage): void {
  const next = receive(held, message);
  if (next === 'lost') {
    if (held) host.post({ type: 'ready' });
    return;
  }
  held = next;
  if (message.type === 'init') host.keep({ checkpoint: held.state.model.path });
  if (message.type === 'show') showRun(message.run);
  if (message.type === 'init' && view.prompt === '') view = { ...view, ...firstAsked(held.state, view) };
  draw();
}

/** Draws a run in its chart and scrolls there; a run without a chart is in the list of runs. */
function showRun(id: string): void {
  const { runs } = held!.state;
  const run = runs.find((each) => each.id === id);
  if (!run) return;
  target = cardOf(run, ALL)?.name ?? 'runs';
  context.setView(showing(run, runs, view, ALL));
}

/** A card, or a part of one. */
const selectorOf = (name: string): string => `:is(.card, .card-part).${name}`;

function scrollTo(name: string): void {
  target = undefined;
  // After the frame that draws it.
  requestAnimationFrame(() => {
    const card = root.querySelector<HTMLElement>(selectorOf(name));
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'start' });
  });
}

watchFaults((message) => host.post({ type: 'fault', message }));
keepReadable();
registerControls();
root.append(el('p', { class: 'loading', role: 'status' }, t('Loading the model and its runs…')));
host.post({ type: 'ready' });
