/**
 * The runs of several folders that belong to one checkpoint. Charts show only runs on exactly these files. A run of a model
 * with the same name (another model, or these files before a change) is listed without its numbers.
 */
import { dirname, resolve } from 'node:path';
import { CRITERIA, needsCalibration } from '../../engine/importance/criteria';
import type { Suggestion } from '../../engine/importance/choice';
import { runTitle } from '../../engine/records/compare';
import { type InputCheck, InputWatch } from '../../engine/records/changes';
import { recordKind } from '../../engine/records/kinds';
import { followPlace } from '../../engine/records/places';
import { modelInput, modelName, type RunInput } from '../../engine/records/record';
import { drawnRows } from '../../engine/records/rows-key';
import { RunStores, type StoredRun, type UnreadableRun } from '../../jobs/record-store';
import { isFloat32 } from '../../format/arithmetic';
import type { JsonNumber } from '../../format/json';
import { evaluatedIn } from '../../format/evaluated';
import type {
  ComparedDigest,
  CostDigest,
  PanelRun,
  QualityDigest,
  RunDigest,
  VocabularyDigest,
} from '../../protocol/panel';
import { perplexityIn } from '../../state/measured';
import { inRanges } from './columns';
import { ORIGINAL, withoutLabel } from './model-labels';
import type { Origins } from '../../state/origins';
import type { ScoredRows } from './panel-texts';
import type { PanelCheckpoint } from './services';

/** How a run belongs to the checkpoint: on its files, with them among others, on a model made from them, or by name only. */
type Kinship = 'own' | 'beside' | 'written' | 'namesake';

/** The criteria that need a text. */
const NEEDS_TEXT: ReadonlySet<string> = new Set(CRITERIA.filter(needsCalibration));

interface Listed {
  readonly stored: StoredRun;
  readonly shown: PanelRun;
}

export interface RunsRead {
  readonly runs: readonly PanelRun[];
  readonly unreadable: readonly UnreadableRun[];
}

export class RunList {
  private readonly stores = new RunStores();
  private readonly watch = new InputWatch();
  /** The runs of all models. */
  private all: readonly StoredRun[] = [];
  private listed: readonly Listed[] = [];
  private runs: readonly PanelRun[] = [];
  private unreadable: readonly UnreadableRun[] = [];

  constructor(
    private readonly source: PanelCheckpoint,
    private readonly origins: Origins,
    /** The name of a file for the user. */
    private readonly nameOf: (file: string) => string,
  ) {}

  /**
   * Reads the runs, newest first. An unchanged run or list stays the same object.
   * @param folders of records
   * @param given folders in which inputs of the runs may be looked up
   */
  async read(folders: readonly string[], given: readonly string[]): Promise<RunsRead> {
    const lists = await Promise.all(folders.map((folder) => this.stores.of(folder).list()));
    const all = lists.flatMap(({ runs }) => runs);
    this.all = all.sort((a, b) => b.digest.started.localeCompare(a.digest.started));
    const kin = await Promise.all(all.map((run) => this.kinshipOf(run, given)));
    const found = all.flatMap((stored, i) => (kin[i] ? [{ stored, kinship: kin[i] }] : []));
    const known = [modelInput(this.source.checkpoint)];
    const changes = await Promise.all(
      found.map(({ stored }) => this.watch.check(stored.inputs, dirname(stored.file), { known, given })),
    );
    this.listed = found.map(({ stored, kinship }, i) => this.list(stored, kinship, changes[i]));
    this.runs = orSame(
      this.runs,
      this.listed.map(({ shown }) => shown),
    );
    this.unreadable = orSame(
      this.unreadable,
      lists.flatMap(({ unreadable }) => unreadable),
    );
    return { runs: this.runs, unreadable: this.unreadable };
  }

  /** The runs with these ids, in this order. */
  pick(ids: readonly string[]): StoredRun[] {
    return ids.flatMap((id) => this.listed.find(({ stored }) => stored.id === id)?.stored ?? []);
  }

  /** What the runs of all models found, newest first. */
  digests(): readonly RunDigest[] {
    return this.all.map(({ digest }) => digest);
  }

  /** Forecasts of drafts for all models, newest first. */
  forecasts(): readonly StoredRun[] {
    return this.all.filter(({ digest }) => digest.draft !== undefined);
  }

  /** The inputs of the run that have changed since, in words. */
  changed(id: string): readonly string[] {
    return this.runs.find((run) => run.id === id)?.changed ?? [];
  }

  /**
   * Finds the record with scores of every block by this criterion: the newest on these rows, else the newest.
   * @returns its file; undefined if there is none, or if its inputs have changed since
   */
  scores(criterion: string, blocks: number, rowsKey: string | undefined): string | undefined {
    const all = this.listed.filter(({ shown: { digest } }) => {
      return digest.score?.criterion === criterion && digest.score.blocks.length > 0 && isOfWhole(digest);
    });
    const newest = all.find(({ shown }) => shown.digest.score?.rowsKey === rowsKey) ?? all.at(0);
    const whole = newest?.shown.digest.score?.blocks.length === blocks && newest.shown.changed.length === 0;
    return whole ? newest.stored.file : undefined;
  }

  /**
   * The suggestion behind a point of the criterion's curve.
   * @returns undefined if no curve of the whole model has the point
   */
  suggestion(criterion: string, removed: readonly number[]): Suggestion | undefined {
    const isPoint = ({ curve }: RunDigest): boolean =>
      curve?.criterion === criterion && curve.points.some((point) => point.removed.join() === removed.join());
    const run = this.listed.find(({ shown: { digest } }) => isPoint(digest) && isOfWhole(digest))?.stored;
    if (!run || removed.length === 0) return undefined;
    // Among the inputs of a curve, the text of its perplexities comes first, and the text that ranked the blocks last.
    const text = run.inputs.filter(({ role }) => role === 'calibration').at(-1);
    const file = text?.place === undefined ? undefined : resolve(dirname(run.file), text.place);
    const ranked = NEEDS_TEXT.has(criterion) && text?.sha256 !== undefined;
    return {
      criterion,
      goal: { kind: 'count', count: removed.length },
      blocks: removed,
      run: run.id,
      ...(ranked && { calibration: { name: text.name, sha256: text.sha256, ...(file !== undefined && { file }) } }),
    };
  }

  /** The newest report on the vocabulary of this checkpoint that can be acted on. */
  vocabularyReport(): { readonly run: string; readonly digest: VocabularyDigest } | undefined {
    for (const { id, digest, foreign = false } of this.runs) {
      const { vocabulary, model } = digest;
      const isOwn = !foreign && model.identity === this.source.checkpoint.identity;
      if (isOwn && vocabulary && vocabulary.written === undefined) return { run: id, digest: vocabulary };
    }
    return undefined;
  }

  /** The rows of all scorings of the whole model with this identity, newest first. */
  scorings(identity: string): ScoredRows[] {
    return this.all.flatMap(({ id, digest, inputs, file }) => {
      const { score, model } = digest;
      const input = inputs.find(({ role }) => role === 'calibration');
      if (!score?.rowsKey || !input || model.identity !== identity || !isOfWhole(digest)) return [];
      if (!drawnRows(score.rowsKey)) return [];
      return [{ id, rowsKey: score.rowsKey, input, folder: dirname(file) }];
    });
  }

  /** Perplexity of a model on these rows in float32, from the newest run that measured it. @param removed left out of it */
  perplexity(identity: string, rowsKey: string, removed: readonly number[] = []): JsonNumber | undefined {
    return perplexityIn(this.digests(), { identity, removed }, rowsKey);
  }

  /** How near the whole model with this identity is to the unpruned one on these rows, from the newest run that tells. */
  compared(identity: string, rowsKey: string): ComparedDigest | undefined {
    const measured = this.evaluated(identity, rowsKey).find(({ kl }) => kl !== undefined);
    if (!measured) return undefined;
    const { kl, top1, against } = measured;
    return { kl, top1, ...(against && { against }) };
  }

  /** Bits per byte of the whole model with this identity on these rows, from the newest run that tells. */
  bitsPerByte(identity: string, rowsKey: string): JsonNumber | undefined {
    return this.evaluated(identity, rowsKey).find(({ bitsPerByte: bits }) => bits !== undefined)?.bitsPerByte;
  }

  /** Of the whole model, in float32, newest first. */
  private evaluated(identity: string, rowsKey: string): QualityDigest[] {
    const own = this.all.filter(({ digest }) => digest.model.identity === identity && isOfWhole(digest));
    return own
      .flatMap(({ digest }) => (isFloat32(digest.precision) ? evaluatedIn(digest) : []))
      .filter((each) => each.rowsKey === rowsKey);
  }

  /** Adapters and checkpoints trained from the model with this identity, newest first, each once. */
  retrained(identity: string): string[] {
    const own = this.all.filter(({ digest }) => digest.model.identity === identity);
    return [...new Set(own.flatMap(({ digest }) => digest.training?.output ?? []))];
  }

  async remove(ids: readonly string[]): Promise<void> {
    for (const { id, file } of this.pick(ids)) await this.stores.of(dirname(file)).remove([id]);
  }

  private list(stored: StoredRun, kinship: Kinship, { changed, unchecked }: InputCheck): Listed {
    const before = this.listed.find((each) => each.stored === stored);
    const foreign = kinship === 'namesake';
    const told = (run: PanelRun): string => JSON.stringify([run.changed, run.unchecked ?? [], run.foreign ?? false]);
    if (before && told(before.shown) === JSON.stringify([changed, unchecked, foreign])) return before;
    const { id, digest } = stored;
    const shown = { id, title: runTitle(digest), digest: this.named(this.shownOf(digest, kinship), stored), changed };
    return { stored, shown: { ...shown, ...(unchecked.length > 0 && { unchecked }), ...(foreign && { foreign }) } };
  }

  /** The parts of a digest that may be shown as this checkpoint's. */
  private shownOf(digest: RunDigest, kinship: Kinship): RunDigest {
    const { identity } = this.source.checkpoint;
    const labelled = digest.cost?.map((cost) => ({ ...cost, label: costLabel(cost, identity) }));
    const grid = digest.grid && {
      ...digest.grid,
      models: digest.grid.models.map((each) => ({ ...each, label: costLabel(each, identity) })),
    };
    switch (kinship) {
      case 'own':
        return labelled ? { ...digest, cost: labelled, ...(grid && { grid }) } : digest;
      case 'beside': // in records without `of`, "Original" is another model
        return { ...digest, cost: labelled?.filter(({ of }) => of !== undefined), ...(grid && { grid }) };
      case 'written':
        return { ...digest, cost: labelled, ...(grid && { grid }), samples: undefined };
      case 'namesake': {
        const { kind, started, finished, model, removed, adapter, device, precision, inputs, settings, versions } =
          digest;
        return { kind, started, finished, model, removed, adapter, device, precision, inputs, settings, versions };
      }
    }
  }

  /** Names texts by their paths, if the record has them, because different texts may have the same name. */
  private named(digest: RunDigest, { inputs, file }: StoredRun): RunDigest {
    const names = new Map(
      inputs
        .filter(({ role, place }) => ['calibration', 'text', 'data'].includes(role) && place !== undefined)
        .map(({ name, place }) => [name, this.nameOf(resolve(dirname(file), place!))]),
    );
    const renamed = <T extends { readonly text?: string }>(measured: T): T => {
      const name = measured.text === undefined ? undefined : names.get(measured.text);
      return name === undefined ? measured : { ...measured, text: name };
    };
    const { score, curve, quality, retrained, iterative, versus, frontier, heal } = digest;
    return {
      ...digest,
      ...(score && { score: renamed(score) }),
      ...(curve && { curve: renamed(curve) }),
      ...(quality && { quality: quality.map(renamed) }),
      ...(retrained && { retrained: retrained.map(renamed) }),
      ...(iterative && { iterative: renamed(iterative) }),
      ...(versus && { versus: renamed(versus) }),
      ...(frontier && { frontier: renamed(frontier) }),
      ...(heal && { heal: renamed(heal) }),
    };
  }

  private async kinshipOf({ digest, inputs, file }: StoredRun, given: readonly string[]): Promise<Kinship | undefined> {
    const { checkpoint } = this.source;
    const models = inputs.filter(({ role }) => role === 'model');
    if (models[0]?.identity === checkpoint.identity) return 'own';
    if (models.some(({ identity }) => identity === checkpoint.identity)) return 'beside';
    if (digest.model.name === modelName(checkpoint)) return 'namesake';
    // This panel shows the costs of derived models. Their other results belong to their own panels.
    const [model] = models;
    const measured = recordKind(digest.kind).costs === true && isOfWhole(digest);
    if (!measured || !model) return undefined;
    return (await this.sourceOf(model, dirname(file), given)) === checkpoint.identity ? 'written' : undefined;
  }

  /** The identity of the base model, from the record of a model. */
  private async sourceOf({ place }: RunInput, folder: string, given: readonly string[]): Promise<string | undefined> {
    const followed = typeof place === 'string' ? await followPlace(place, folder, given) : 'gone';
    return typeof followed === 'string' ? undefined : (await this.origins.of(followed.path))?.identity;
  }
}

/** The name of a measured model in the panel of the checkpoint with this identity. */
function costLabel({ label, of }: Pick<CostDigest, 'label' | 'of'>, identity: string): string {
  if (!of) return label;
  const isOwn = of.identity === identity;
  if (of.adapter !== undefined) return isOwn ? of.adapter : `${of.model} + ${of.adapter}`;
  const blocks = of.removed.filter((block) => typeof block === 'number');
  const without = withoutLabel(blocks.length === of.removed.length ? inRanges(blocks) : of.removed.join(', '));
  if (of.removed.length > 0) return isOwn ? without : `${of.model}, ${without.toLowerCase()}`;
  return isOwn ? ORIGINAL : of.model;
}

const isOfWhole = ({ removed, adapter }: RunDigest): boolean => removed.length === 0 && adapter === undefined;

/** The previous list, if it has the same elements. */
function orSame<T>(before: readonly T[], now: readonly T[]): readonly T[] {
  return before.length === now.length && before.every((each, i) => each === now[i]) ? before : now;
}
