/** The host's side of a results panel with a real sidecar, and the state as the page would hold it. */
import assert from 'node:assert/strict';
import { failureOf } from '../../src/editors/results/failures';
import { PlanHistories } from '../../src/editors/results/plan-history';
import { PromptList } from '../../src/editors/results/prompts';
import type { TextSource } from '../../src/editors/results/panel-texts';
import type { Neighbours, PanelHost, PanelSettings } from '../../src/editors/results/services';
import { ResultsSession } from '../../src/editors/results/session';
import { Trainings } from '../../src/editors/results/trainings';
import { openCheckpoint } from '../../src/engine/checkpoint/open';
import type { Checkpoint } from '../../src/engine/checkpoint/types';
import type { StoppedTraining } from '../../src/engine/retrain/loop/stopped';
import type { HostMessage, PanelState, PanelText } from '../../src/protocol/panel';
import type { SidecarClient } from '../../src/sidecar/client';
import { writtenBytes } from '../../src/estimates/written-bytes';
import { Goals } from '../../src/state/goals';
import { NamedPlans } from '../../src/state/named-plans';
import { Plans } from '../../src/state/plan';
import { ScoreStore } from '../../src/state/scores';
import { TogetherJobs } from '../../src/state/together';
import { type Held, receive } from '../../webview/panel/state/state';
import { eventually } from '../support/until';

const PATIENCE_MS = 30_000;

/** What outlives a panel. */
export function newStore(): { get(key: string): unknown; update(key: string, value: unknown): Promise<void> } {
  const kept = new Map<string, unknown>();
  return {
    get: (key) => kept.get(key),
    update: (key, value) => Promise.resolve(void kept.set(key, JSON.parse(JSON.stringify(value)))),
  };
}

/** A file with the folder that it lies in: no workspace is open here. */
const nameOf = (file: string): string => file.split(/[/\\]/).slice(-2).join('/');

export interface Around {
  readonly client: SidecarClient;
  readonly settings: () => PanelSettings;
  readonly neighbours: () => Omit<Neighbours, 'patches' | 'widths'> & Partial<Neighbours>;
  readonly plans?: Plans;
  readonly histories?: PlanHistories;
  readonly store?: ReturnType<typeof newStore>;
  /** Trainings that were stopped, as the library finds them. */
  readonly stopped?: () => readonly StoppedTraining[];
}

export class ShownPanel {
  readonly saved: { name: string; text: string; folder?: string }[] = [];
  readonly faults: unknown[] = [];
  /** Checkpoints whose panels were asked for. */
  readonly opened: string[] = [];
  /** Labels of models that were asked to be measured over batches. */
  readonly gridded: string[][] = [];
  /** Runs that a recipe was asked for. */
  readonly recipes: (readonly string[] | undefined)[] = [];
  readonly trimmed: { readonly run: string; readonly min: number }[] = [];
  /** Commands that were started. */
  readonly started: string[] = [];
  readonly goals = new Goals(newStore());
  readonly namedPlans = new NamedPlans(newStore());
  /** What the user answers when asked for the name of a plan. */
  nameOfPlan: (known: readonly string[]) => string | undefined = () => undefined;
  /** What the user chooses when asked for a text. */
  answer: (known: readonly PanelText[]) => PanelText | string | undefined = () => undefined;
  /** Numbers of messages of text, and of those that came in the wrong order. */
  texts = 0;
  lost = 0;
  /** Scorings on more samples that were asked for. */
  readonly asked: (TextSource & { readonly criterion: string })[] = [];
  /** All messages of the host. */
  readonly messages: HostMessage[] = [];
  private held: Held | undefined;

  readonly together = new TogetherJobs();
  readonly scores = new ScoreStore(newStore());
  readonly trainings: Trainings;
  readonly session: ResultsSession;

  private constructor(model: string, checkpoint: Checkpoint, { client, settings, neighbours, ...own }: Around) {
    const { plans = new Plans(newStore()), store = newStore(), stopped } = own;
    const { histories = new PlanHistories(plans, newStore()) } = own;
    const failure = (error: unknown) => failureOf(error, (fault) => void this.faults.push(fault));
    this.trainings = new Trainings(client, failure, stopped);
    this.session = new ResultsSession(
      { path: model, checkpoint },
      {
        host: this.host(),
        plans,
        namedPlans: this.namedPlans,
        goals: this.goals,
        trainings: this.trainings,
        sidecar: client,
        together: this.together,
        settings,
        neighbours: () => ({ patches: [], widths: [], ...neighbours() }),
        histories,
        scores: this.scores,
        load: openCheckpoint,
        prompts: new PromptList(store),
      },
      { template: false, instruct: false },
    );
  }

  /** Opens the panel of a model, as "Open Results" does, and says `ready`. */
  static async open(model: string, around: Around): Promise<ShownPanel> {
    const panel = new ShownPanel(model, await openCheckpoint(model), around);
    await panel.session.receive({ type: 'ready' });
    return panel;
  }

  get state(): PanelState {
    return this.held!.state;
  }

  async becomes(what: string, test: (state: PanelState) => boolean): Promise<void> {
    assert.ok(await eventually(() => this.held !== undefined && test(this.held.state), PATIENCE_MS), what);
  }

  /** Closes it; nothing must have gone wrong. */
  close(): void {
    this.session.dispose();
    this.trainings.dispose();
    assert.deepEqual(this.faults, []);
    assert.equal(this.lost, 0);
  }

  private host(): PanelHost {
    return {
      post: (message: HostMessage) => {
        this.messages.push(message);
        const next = receive(this.held, JSON.parse(JSON.stringify(message)) as HostMessage);
        if (message.type === 'text') this.texts++;
        if (next === 'lost') this.lost++;
        else this.held = next;
      },
      start: (action) => void this.started.push(action),
      scoreMore: (_checkpoint, criterion, text) => void this.asked.push({ criterion, ...text }),
      trimVocabulary: (_, run, min) => void this.trimmed.push({ run, min }),
      writePair: () => undefined,
      copyPairCode: () => undefined,
      newRecipe: () => undefined,
      exportBytes: ({ checkpoint }, removed, { format, type }) => writtenBytes(checkpoint, { format, type, removed }),
      times: () => ({}),
      askPlanName: (known) => Promise.resolve(this.nameOfPlan(known)),
      measureSpeed: (_, columns) => void this.gridded.push(columns.map(({ label }) => label)),
      saveRecipe: (_, runs) => void this.recipes.push(runs),
      healingTime: (_, removed) => `about ${removed.length} s`,
      show: (checkpoint) => void this.opened.push(checkpoint),
      chooseText: (known) => Promise.resolve(this.answer(known)),
      nameOf,
      save: (name, content, folder) => {
        if ('text' in content) this.saved.push({ name, text: content.text, folder });
        return Promise.resolve();
      },
      copy: () => Promise.resolve(),
      open: () => Promise.resolve(),
      confirmDeletion: () => Promise.resolve(true),
      reportAssets: () => Promise.resolve({ script: '', style: '' }),
      logError: (error) => void this.faults.push(error),
      trusted: () => true,
      manageTrust: () => undefined,
    };
  }
}
