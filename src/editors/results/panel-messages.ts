/** What each message of the panel does. */
import { requireTrusted } from '../../host/restricted';
import type { PanelMessage, PanelState } from '../../protocol/panel';
import type { JourneyPart } from './journey-part';
import type { JobsPart } from './jobs-part';
import type { MeasuringPart } from './measuring-part';
import type { PanelReading } from './panel-reading';
import type { PanelStore } from './panel-store';
import type { PlanPart } from './plan-part';
import { actOnRuns, isRunMessage, type RunMessage } from './run-actions';
import type { SampleRequests } from './sample-requests';
import type { PanelServices, PanelCheckpoint } from './services';

/** The parts of a panel's session. */
export interface PanelParts {
  readonly source: PanelCheckpoint;
  readonly services: PanelServices;
  readonly store: PanelStore;
  readonly reading: PanelReading;
  readonly plan: PlanPart;
  readonly measuring: MeasuringPart;
  readonly jobs: JobsPart;
  readonly samples: SampleRequests;
  readonly journey: JourneyPart;
}

/** Messages that compute without a command. Commands check the trust of the workspace themselves. */
const COMPUTING: ReadonlySet<PanelMessage['type']> = new Set<PanelMessage['type']>([
  'start/curve',
  'start/speed',
  'start/retrained',
  'start/healed',
  'training/resume',
  'samples/write',
  'samples/reply',
]);

/** @throws UserError for what goes wrong, and in Restricted Mode for what computes */
export async function handleMessage(message: PanelMessage, parts: PanelParts): Promise<void> {
  const { source, services, store, reading, plan, measuring, jobs, samples, journey } = parts;
  const { host, sidecar, together } = services;
  if (COMPUTING.has(message.type)) requireTrusted(host.trusted());
  if (isRunMessage(message)) return handleRuns(message, parts);
  switch (message.type) {
    case 'ready':
      store.sendAll();
      await reading.again();
      measuring.begin();
      break;
    case 'plan/toggle':
      changePlan(parts, () => plan.toggle(message.block));
      break;
    case 'plan/set':
      changePlan(parts, () => plan.set(message.removed, message.criterion, reading.runs));
      break;
    case 'plan/undo':
      changePlan(parts, () => plan.move('undo'));
      break;
    case 'plan/redo':
      changePlan(parts, () => plan.move('redo'));
      break;
    case 'start':
      host.start(message.action, source.path, message.adapter);
      break;
    case 'score/more': {
      const text = await measuring.textOf(message.rowsKey);
      if (text) host.scoreMore(source.path, message.criterion, { ...text, samples: message.samples });
      break;
    }
    case 'start/vocabulary':
      host.trimVocabulary(source.path, message.run, message.min);
      break;
    case 'draft/write':
      host.writePair(source.path, message.run);
      break;
    case 'draft/code':
      host.copyPairCode(message.run);
      break;
    case 'start/recipe': {
      const { run, min } = message;
      const goal = journey.sizeGoal();
      if (goal) host.newRecipe(source.path, goal, run === undefined || min === undefined ? undefined : { run, min });
      break;
    }
    case 'journey/skip':
      journey.skip(message.step);
      break;
    case 'plan/keep': {
      const name = await host.askPlanName(plan.named.map((each) => each.name));
      if (name !== undefined) plan.keep(name);
      break;
    }
    case 'plan/use':
      changePlan(parts, () => plan.use(message.name));
      break;
    case 'plan/forget':
      plan.forget(message.name);
      break;
    case 'start/curve':
      return jobs.drawCurve(message.criterion);
    case 'start/speed':
      return jobs.measureSpeed();
    case 'start/retrained':
      return jobs.evaluateRetrained(message.adapter);
    case 'start/healed':
      return jobs.healPlan();
    case 'training/resume':
      return jobs.resumeTraining();
    case 'job/cancel':
      return together.cancel(message.id) ? undefined : sidecar.cancel(message.id);
    case 'text/choose':
      return measuring.chooseText();
    case 'text/use':
      return measuring.useText(message.rowsKey);
    case 'kin/open':
      if (isRelative(message.path, store.state)) host.show(message.path);
      break;
    case 'samples/write': {
      const columns = reading.columns(plan.removed).filter(({ id }) => message.columns.includes(id));
      await samples.write(message, columns);
      return reading.again();
    }
    case 'samples/reply':
      await samples.reply(message);
      return reading.again();
    case 'samples/clear':
      samples.clear();
      break;
    case 'samples/stop':
      samples.stop();
      break;
    case 'prompts/keep':
      await services.prompts.keep(message.prompt);
      store.update(promptsOf(services));
      break;
    case 'prompts/forget':
      await services.prompts.forget(message.prompt);
      store.update(promptsOf(services));
      break;
    case 'file/save':
      return host.save(message.name, message.content);
    case 'clipboard':
      return host.copy(message.text);
    case 'failure/dismiss':
      store.update({ failure: null });
      break;
    case 'trust/manage':
      host.manageTrust();
      break;
    case 'fault':
      host.logError(new Error(`the results panel: ${message.message}`));
  }
}

/** The prompts as the panel shows them. */
export const promptsOf = ({ prompts }: PanelServices): Pick<PanelState, 'prompts' | 'ownPrompts' | 'questions'> => ({
  prompts: prompts.all,
  questions: prompts.questions,
  ownPrompts: prompts.own,
});

async function handleRuns(message: RunMessage, { source, services, store, reading }: PanelParts): Promise<void> {
  store.update(await actOnRuns(message, reading.runs, services.host, source));
  if (message.type === 'runs/delete') await reading.again();
}

/**
 * Changes the plan. The session sends a plan that has changed. One that refuses the change is sent here: the panel may
 * show the change already.
 */
function changePlan({ store, plan }: PanelParts, change: () => void): void {
  const before = store.state.plan;
  change();
  if (store.state.plan === before) store.update({ plan: plan.now() });
}

const isRelative = (path: string, { kin: { parent, original, children } }: PanelState): boolean =>
  parent?.there?.path === path || original?.path === path || children.some((child) => child.path === path);
