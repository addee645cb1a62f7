/** The step of "Prune Checkpoint…" that asks whether to heal, and on which text. Enter takes what is done soon. */
import * as vscode from 'vscode';
import { chooseFile } from '../host/ask/choose-file';
import type { Coppice } from '../host/coppice';
import { healingWords, jobTime } from '../host/ask/job-time';
import { amountChoices, type HealedPlan, healingTexts, usualHealingText } from '../host/ask/healing';
import { quickChoice } from '../host/ask/quick-choice';
import { recall } from '../host/ask/remembered';
import { pick, type PickChoice, type Place, unlessBack } from '../host/ask/steps';
import { HEAL_TOKENS, SELF } from '../jobs/healing-amounts';
import { atMost, markedTime } from '../estimates/words';

/** The remembered answer that the plan is written as it is. */
export const PLAIN = 0;
/** Asks for a text. */
const OTHER_TEXT = -1;

interface Healing {
  readonly heal: number | false;
  readonly data?: string;
}

/** @param given the text, if the caller has named it */
export async function askHealing(
  coppice: Coppice,
  { data: given }: { readonly data?: string },
  plan: HealedPlan,
  place: Place,
): Promise<Healing> {
  const { t } = vscode.l10n;
  const data = given ?? usualHealingText(coppice, plan.chosen.subject);
  const { path: checkpoint } = plan.chosen;
  const written = jobTime(coppice, plan.chosen, { kind: 'prune', checkpoint, blocks: plan.removed, out: '' })!;
  const plain = { label: t('Prune only'), description: markedTime(written), value: PLAIN, seconds: atMost(written) };
  const amounts = amountChoices(coppice, plan, data);
  const timed = [...amounts, plain];
  const choices: PickChoice<number>[] = [
    ...amounts,
    ...(given === undefined && data === SELF ? [otherText(coppice, plan)] : []),
    plain,
  ];
  const active = quickChoice<number>(timed, recall<number>(coppice, 'prune', 'heal', HEAL_TOKENS.normal));
  for (;;) {
    const heal = await pick(place, t('Heal after pruning?'), choices, active);
    if (heal === PLAIN) return { heal: false };
    if (heal !== OTHER_TEXT) return { heal, data };
    const text = await unlessBack(askText(coppice, plan, place));
    if (text !== undefined) return { heal: HEAL_TOKENS.normal, data: text };
  }
}

/** The model need not write a text where the user has one. */
function otherText(coppice: Coppice, { chosen, removed }: HealedPlan): PickChoice<number> {
  const question = { removed, tokens: HEAL_TOKENS.normal };
  return {
    label: vscode.l10n.t('Heal on a text of yours…'),
    description: healingWords(coppice, chosen, question),
    detail: vscode.l10n.t('The model need not write one. Best: text like what your app sends'),
    value: OTHER_TEXT,
  };
}

function askText(coppice: Coppice, plan: HealedPlan, place: Place): Promise<string> {
  const placeholder = vscode.l10n.t('Which text should the model be healed on? Best: text like what your app sends.');
  const fixed = healingTexts(coppice, plan).filter(({ value }) => value !== SELF);
  return chooseFile(coppice, place, { placeholder, use: 'training', fixed });
}
