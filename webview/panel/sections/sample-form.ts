/** The form for sample texts: models, prompt and sampling. */
import type { ColumnChoice, PanelState, WriteSettings } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, checkbox, dropdown, enable, setTicked, textArea, textField } from '../../support/ui';
import { DRAFTS, type Written } from './sample-history';
import { MAX_COLUMNS, ModelChips } from './sample-models';
import { type Context, withChoice } from './section';
import { examples, otherExample } from '../state/examples';
import type { ViewState } from '../state/view-state';

/** Default sampling, moderate so that a good model still writes good text. */
const SAMPLING = { temperature: 0.8, topP: 0.95, seed: 1234 };
const OWN = '(own)';
const BITS = { int4: t('4 bits'), int8: t('8 bits') } as const;
/** The models write alone. */
const NONE = '(none)';

export class SampleForm {
  readonly element: HTMLElement;
  /** Tells what another generation would give. */
  private readonly advice = el('p', { class: 'muted sample-advice' });
  private readonly prompt;
  private readonly prompts;
  private readonly keep;
  /** The prompt is one of the user's saved prompts. */
  private own = false;
  private readonly models = new ModelChips((columns) => this.context.setView({ columns }));
  private readonly mode;
  private readonly draft;
  private readonly tokens;
  private readonly sampled;
  private readonly chat;
  private readonly system;
  private choices: readonly ColumnChoice[] = [];
  private lists: Pick<PanelState, 'prompts' | 'ownPrompts' | 'questions'> = {
    prompts: [],
    ownPrompts: [],
    questions: [],
  };

  /** @param actions buttons at the end of the row of controls */
  constructor(
    private readonly context: Context,
    actions: readonly HTMLElement[],
  ) {
    const { setView } = context;
    this.prompt = textArea(t('Prompt'), context.view().prompt, (prompt) => setView({ prompt }));
    this.prompts = dropdown(t('Saved prompts'), (prompt) => {
      if (prompt !== OWN) setView({ prompt });
    });
    this.keep = button(t('Save Prompt'), () => {
      const { prompt } = context.view();
      context.send({ type: this.own ? 'prompts/forget' : 'prompts/keep', prompt });
    });
    this.mode = dropdown(t('Sampling'), (mode) => this.set({ sampling: mode === 'greedy' ? null : SAMPLING }));
    this.draft = dropdown(t('Draft'), (draft) => this.set({ draft: DRAFTS.find((each) => each === draft) }));
    this.tokens = this.number(t('Max tokens'), (maxNewTokens) =>
      this.set({ maxNewTokens: Math.max(1, Math.round(maxNewTokens)) }),
    );
    this.sampled = {
      temperature: this.number(t('Temperature'), (temperature) => this.sample({ temperature })),
      topP: this.number(t('Top p'), (topP) => this.sample({ topP: Math.min(1, topP) })),
      seed: this.number(t('Seed'), (seed) => this.sample({ seed: Math.round(seed) })),
    };
    this.chat = checkbox(t('Chat template'), false, (chat) => this.setChat(chat));
    this.system = textField(t('System prompt'), '', t('Optional: how the model should answer'), (system) =>
      this.set({ system: system.trim() === '' ? undefined : system }),
    );
    this.element = el(
      'div',
      { class: 'sample-form' },
      this.models.element,
      el(
        'div',
        { class: 'prompt-row' },
        el('div', { class: 'prompt-texts' }, this.prompt, this.system),
        el('div', { class: 'prompt-list' }, this.prompts.element, this.keep),
      ),
      el(
        'div',
        { class: 'field-row' },
        this.mode.element,
        this.tokens,
        ...Object.values(this.sampled),
        this.draft.element,
        this.chat,
        el('div', { class: 'form-actions' }, ...actions),
      ),
      this.advice,
    );
  }

  get canWrite(): boolean {
    return this.context.view().prompt.trim() !== '' && this.chosen.length > 0;
  }

  /** Sends the request to generate texts. */
  write(): void {
    const { prompt } = this.context.view();
    const settings = this.asked();
    if (!this.canWrite) return;
    this.context.setView({ ...withChoice(this.context.view(), 'samples', ''), asked: { prompt, settings } });
    this.context.send({ type: 'samples/write', prompt, columns: this.chosen, settings });
  }

  /** Generates other texts with the same models, from the next seed. */
  writeAnother(): void {
    this.sample({ seed: (this.context.view().settings.sampling ?? SAMPLING).seed + 1 });
    this.write();
  }

  /** Moves the focus to the prompt. */
  focus(): void {
    this.prompt.focus();
  }

  /** Restores prompt, settings and, if they still exist, the models of earlier texts. */
  restore({ prompts, columns, settings }: Written): void {
    const ids = this.choices.filter(({ label }) => columns.includes(label)).map(({ id }) => id);
    this.context.setView({
      ...(prompts[0] !== undefined && { prompt: prompts[0] }),
      ...(settings && { settings }),
      ...(ids.length > 0 && { columns: ids }),
    });
  }

  update(state: PanelState, { prompt, settings }: ViewState): void {
    const { columns, ownPrompts } = state;
    this.lists = state;
    this.choices = columns;
    if (this.prompt.value !== prompt) this.prompt.value = prompt;
    const isChat = settings.chat && state.chat;
    const list = examples(state, isChat);
    this.prompts.show(
      [{ value: OWN, label: t('Custom prompt') }, ...list.map((each) => ({ value: each, label: each }))],
      list.includes(prompt) ? prompt : OWN,
    );
    this.own = ownPrompts.includes(prompt);
    this.keep.textContent = this.own ? t('Delete Prompt') : t('Save Prompt');
    enable(this.keep, this.own || (prompt.trim() !== '' && !list.includes(prompt)));
    this.models.show(columns, this.chosen);
    this.mode.show(
      [
        { value: 'greedy', label: t('Greedy') },
        { value: 'sampled', label: t('Random') },
      ],
      settings.sampling ? 'sampled' : 'greedy',
    );
    show(this.tokens, settings.maxNewTokens);
    this.draft.show(
      [{ value: NONE, label: t('None') }, ...DRAFTS.map((each) => ({ value: each, label: BITS[each] }))],
      settings.draft ?? NONE,
    );
    for (const key of ['temperature', 'topP', 'seed'] as const) {
      this.sampled[key].hidden = !settings.sampling;
      if (settings.sampling) show(this.sampled[key], settings.sampling[key]);
    }
    this.advice.textContent = adviceOf(state, settings);
    this.chat.hidden = !state.chat;
    setTicked(this.chat, isChat);
    this.system.hidden = !isChat;
    if ((settings.system ?? '') !== this.system.value.trim()) this.system.value = settings.system ?? '';
  }

  /** The chosen models. Until the user chooses, these are the first two related models. */
  private get chosen(): readonly string[] {
    const ids = this.choices.map(({ id }) => id);
    const wanted = this.context.view().columns.filter((id) => ids.includes(id));
    if (wanted.length > 0) return wanted.slice(0, MAX_COLUMNS);
    return this.choices
      .filter(({ related }) => related)
      .slice(0, 2)
      .map(({ id }) => id);
  }

  /** The settings, without a system prompt where no chat template has it. */
  private asked(): WriteSettings {
    const { system, ...settings } = this.context.view().settings;
    return settings.chat && system !== undefined ? { ...settings, system } : settings;
  }

  /** A question fits a chat, and the beginning of a text fits none: an example gives way to one of the other kind. */
  private setChat(chat: boolean): void {
    const { settings, prompt } = this.context.view();
    this.context.setView({ settings: { ...settings, chat }, prompt: otherExample(this.lists, prompt, chat) });
  }

  private number(label: string, change: (value: number) => void): ReturnType<typeof textField> {
    const field = textField(label, '', '', (text) => {
      const value = Number(text);
      if (text.trim() !== '' && Number.isFinite(value) && value >= 0) change(value);
    });
    field.setAttribute('size', '6');
    return field;
  }

  private set(changes: Partial<WriteSettings>): void {
    this.context.setView({ settings: { ...this.context.view().settings, ...changes } });
  }

  private sample(changes: Partial<typeof SAMPLING>): void {
    this.set({ sampling: { ...(this.context.view().settings.sampling ?? SAMPLING), ...changes } });
  }
}

function adviceOf({ columns, chat, instruct }: PanelState, { sampling, chat: isChat, draft }: WriteSettings): string {
  if (!columns.some(({ related }) => related))
    return t('This checkpoint has no tokenizer.json, so it cannot generate text.');
  const base = isChat && chat && !instruct ? [t('This model seems to continue texts rather than to answer.')] : [];
  const again = sampling
    ? t('Seed {0} always gives the same text. Try Next Seed uses {1}.', sampling.seed, sampling.seed + 1)
    : t('Greedy sampling always gives the same text for a prompt.');
  const drafted = draft
    ? [
        t(
          'Each model in fewer bits proposes tokens, and it checks them: its text stays its own. Times are those of both.',
        ),
      ]
    : [];
  return [...base, again, ...drafted].join(' ');
}

/** Shows a number, but keeps other spellings of it, such as "0." while the user types "0.5". */
function show(field: { value: string }, value: number): void {
  if (field.value === '' || Number(field.value) !== value) field.value = String(value);
}
