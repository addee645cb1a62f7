/** Files with the sums of a group of rows at a site. */
import type { JsonObject } from '../../format/json';
import { FloatFile, type FloatTensor, unusable, writeFloats } from '../weights/float-file';
import { addTo, panelStarts, panelWidth } from './blocked';
import type { NormalEquations } from './gram';
import { type Collector, GroupSums, type SiteShape, type SummedUse, summedUse, type TotalSums } from './site-sums';
import type { RowRun } from './streams';

/** Leaves the sums of each group in a file, rounded to float32. */
export class FileCollector implements Collector {
  private readonly group: GroupSums;
  private squares = 0;

  /** @param runs of all parts */
  constructor(
    runs: readonly RowRun[],
    private readonly shape: SiteShape,
    private readonly pathOf: (group: number) => string,
    private readonly note: JsonObject,
  ) {
    this.group = new GroupSums(runs, shape);
  }

  begin(): NormalEquations {
    return this.group.equations;
  }

  async end(run: RowRun, squares: number): Promise<void> {
    this.squares += squares;
    if (!this.group.isLast(run)) return;
    const { gram, cross } = this.group.equations;
    const tensors = tensorsOf(this.shape, (p) => Float32Array.from(p === undefined ? cross.data : gram.panels[p]));
    const note = { ...this.note, group: run.group, use: summedUse(run), squares: this.squares };
    await writeFloats(this.pathOf(run.group), tensors, note);
    this.group.clear();
    this.squares = 0;
  }
}

/** The panels of XᵀX, and XᵀR. @param values of a panel; of XᵀR for undefined */
function tensorsOf(
  { inputs, outputs }: SiteShape,
  values: (panel: number | undefined) => Float32Array,
): (FloatTensor & { readonly panel?: number })[] {
  const panels = panelStarts(inputs).map((start, panel) => ({
    name: `gram.${panel}`,
    shape: [inputs - start, panelWidth(inputs, start)],
    panel,
    values: () => values(panel),
  }));
  return [...panels, { name: 'cross', shape: [inputs, outputs], values: () => values(undefined) }];
}

/** Adds the sums of a file, one tensor in memory at a time. @throws UserError for a file that is damaged, or of something else */
export async function addSums(total: TotalSums, path: string, shape: SiteShape, wanted: JsonObject): Promise<void> {
  const file = await FloatFile.open(path);
  requireNote(file, wanted);
  const { use, squares } = file.note;
  if (!isUse(use) || typeof squares !== 'number') throw unusable(path, 'its header does not say what was summed');
  const { gram, cross } = total.of(use);
  for (const { name, shape: own, panel } of tensorsOf(shape, () => new Float32Array())) {
    addTo(panel === undefined ? cross.data : gram.panels[panel], await file.read(name, own));
  }
  total.addSquares(use, squares);
}

const isUse = (value: unknown): value is SummedUse => value === 'fit' || value === 'choose';

/** @throws UserError for a file of another healing or site */
export function requireNote({ note, path }: FloatFile, wanted: JsonObject): void {
  const other = Object.keys(wanted).find((name) => note[name] !== wanted[name]);
  if (other !== undefined) throw unusable(path, `it is of another ${other === 'digest' ? 'healing' : other}`);
}
