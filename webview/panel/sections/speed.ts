/** What models cost, in one card: sizes and speeds, and below them speeds over batches where they were measured. */
import { gridSection } from './grid';
import { measuredSection } from './measured';
import type { Context, Section } from './section';

export function speedSection(context: Context): Section {
  const [table, grid] = [measuredSection(context), gridSection(context)];
  grid.element.classList.replace('card', 'card-part');
  table.element.append(grid.element);
  return {
    element: table.element,
    update: (state, view) => {
      table.update(state, view);
      grid.update(state, view);
    },
  };
}
