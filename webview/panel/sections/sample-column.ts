/**
 * The text of one model, or its side of a conversation. It grows while the model generates. All content is text, never
 * markup.
 */
import type { DraftedDigest } from '../../../src/protocol/panel';
import type { ChatTurn } from '../../../src/protocol/jobs';
import { formatMeasured } from '../numbers';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { tokensText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { differences } from './differences';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { isFloat32 } from '../../../src/format/arithmetic';
import { modelText } from '../state/model-labels';
import { textPrecision } from '../state/precisions';
import './samples.css';

export interface ColumnText {
  readonly label: string;
  readonly prompt: string;
  readonly text: string;
  /** The chat template formatted it: a conversation, not one text. */
  readonly chat?: boolean;
  /** The turns before the prompt, oldest first. */
  readonly earlier?: readonly ChatTurn[];
  readonly tokens: number;
  readonly timeToFirstToken: number | null;
  readonly tokensPerSecond: number | null;
  /** What the model computed in; undefined while that is not known. */
  readonly precision?: string | null;
  readonly repetition: number | null;
  /** A draft that proposes tokens. */
  readonly draft?: DraftedDigest;
  /** Why it ended; null while the model generates. */
  readonly stopped: string | null;
  /** It waits for its turn. */
  readonly waits?: boolean;
  /** Why generation failed. */
  readonly failure?: string;
}

const ENDS: Readonly<Record<string, string>> = {
  eos: t('ended by the model'),
  length: t('max tokens reached'),
  context: t('context full'),
  cancelled: t('stopped'),
  failed: t('failed'),
};
/** Above this share, a text repeats itself more than prose does. */
const REPETITIVE = 0.2;

export class SampleColumn {
  readonly element: HTMLElement;
  private readonly label = el('h3', {});
  private readonly facts = el('p', { class: 'muted' });
  private readonly body = el('div', { class: 'sample-text', tabindex: '0', role: 'group' });
  private readonly failure = el('p', { class: 'warning' });
  private readonly meter = el('p', { class: 'repetition' });
  private shown: ColumnText | undefined;

  constructor(copy: (text: string) => void) {
    const copyButton = button(icon('copy'), () => this.shown && copy(copied(this.shown)), {
      appearance: 'icon',
      label: t('Copy this text'),
    });
    this.element = el(
      'article',
      { class: 'sample' },
      el('header', {}, this.label, copyButton),
      this.facts,
      this.body,
      this.failure,
      this.meter,
    );
  }

  /** @param reference the text to mark differences from; undefined for none */
  show(text: ColumnText, reference: string | undefined): void {
    this.shown = text;
    const { stopped, repetition, failure } = text;
    const label = modelText(text.label);
    this.label.textContent = label;
    this.body.setAttribute('aria-label', t('Text of {0}', label));
    this.facts.textContent = factsOf(text);
    const written =
      reference === undefined
        ? [text.text]
        : differences(text.text, reference).map((span) => (span.differs ? el('mark', {}, span.text) : span.text));
    const atEnd = this.body.scrollTop + this.body.clientHeight >= this.body.scrollHeight - 4;
    const caret = stopped === null ? [el('span', { class: 'caret', 'aria-hidden': 'true' }, '▍')] : [];
    this.body.classList.toggle('is-chat', text.chat === true);
    this.body.replaceChildren(
      ...(text.chat ? conversation(text, [...written, ...caret]) : prose(text, [...written, ...caret])),
    );
    if (atEnd) this.body.scrollTop = this.body.scrollHeight;
    this.failure.textContent = failure === undefined ? '' : `⚠ ${failure}`;
    this.meter.textContent =
      repetition === null
        ? ''
        : `${repetition >= REPETITIVE ? '⚠ ' : ''}${t('Repetition {0}', formatPercent(repetition))}`;
    this.meter.classList.toggle('is-high', (repetition ?? 0) >= REPETITIVE);
  }
}

type Piece = Node | string;

/** One text: what the user wrote is muted, what the model wrote is not. */
const prose = ({ earlier = [], prompt }: ColumnText, written: readonly Piece[]): Piece[] => [
  ...earlier.map(({ role, content }) => (role === 'user' ? el('span', { class: 'muted' }, content) : content)),
  el('span', { class: 'muted' }, prompt),
  ...written,
];

/** Turns one below the other, each with who says it. */
function conversation({ label, earlier = [], prompt }: ColumnText, written: readonly Piece[]): Piece[] {
  const turn = (role: ChatTurn['role'], ...content: readonly Piece[]): HTMLElement =>
    el(
      'div',
      { class: `turn is-${role}` },
      el('span', { class: 'turn-who' }, role === 'user' ? t('You') : modelText(label)),
      el('div', { class: 'turn-text' }, ...content),
    );
  return [
    ...earlier.map(({ role, content }) => turn(role, content)),
    turn('user', prompt),
    turn('assistant', ...written),
  ];
}

/** The text for the clipboard; of a conversation, with who says what. */
function copied({ label, chat, earlier = [], prompt, text }: ColumnText): string {
  const turns = [...earlier, { role: 'user', content: prompt }, { role: 'assistant', content: text }];
  if (!chat) return turns.map(({ content }) => content).join('');
  return turns.map(({ role, content }) => `${role === 'user' ? t('You') : modelText(label)}: ${content}`).join('\n\n');
}

function factsOf(column: ColumnText): string {
  const { tokens, timeToFirstToken, tokensPerSecond, precision, draft, stopped, waits } = column;
  if (waits) return t('Waiting…');
  if (tokens === 0 && stopped === null) return t('Reading the prompt…');
  return [
    ...(isFloat32(precision) ? [] : [textPrecision(precision)]),
    tokensText(tokens),
    ...(tokensPerSecond === null ? [] : [t('{0} tokens/s', shortNumber(tokensPerSecond, 3))]),
    ...(draft && draft.drafted > 0 ? [draftText(draft)] : []),
    ...(timeToFirstToken === null ? [] : [t('first token after {0}', formatMeasured(timeToFirstToken))]),
    ...(stopped === null ? [] : [ENDS[stopped] ?? stopped]),
  ].join(' · ');
}

/** The speed beside it is that of both together. */
const draftText = ({ model, drafted, accepted }: DraftedDigest): string =>
  t('with draft {0}, {1} of its tokens stayed', model, formatPercent(accepted / drafted));
