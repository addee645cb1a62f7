/** The title of a recipe with the values of a run in it, so that it says what that run does. Pure. */
import { type Recipe, type Variables } from './recipe';
import { substitute } from './references';

type Texts = Pick<Recipe, 'name' | 'title' | 'description'>;

/** "SmolLM2 without ${count} of its 30 blocks" with the count of this run; the recipe's name where it has no title. */
export const titleOf = ({ name, title }: Texts, variables: Variables): string => inPlace(title ?? name, variables);

export const descriptionOf = ({ description }: Texts, variables: Variables): string | undefined =>
  description === undefined ? undefined : inPlace(description, variables);

/** What is not known is left as it is written: the reader refuses it. */
function inPlace(text: string, variables: Variables): string {
  // The space keeps a text that is one reference from becoming its value.
  const whole = substitute(` ${text}`, (each) =>
    each.kind === 'variable' && Object.hasOwn(variables, each.name) ? variables[each.name] : '…',
  ) as string;
  return whole.slice(1);
}
