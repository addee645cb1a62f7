/** Accuracies as facts: of every task, and their mean; and scores in probes. */
import { onTop } from '../../../format/on-top';
import { formatCount } from '../../../format/numbers';
import type { RunDigest, TasksDigest } from '../digest-types';
import type { Fact, Measure } from './facts';
import { type ModelRef, refOf } from './models';
import { computed, precisionKey } from './run-models';

export function taskFacts(run: RunDigest): Fact[] {
  return [...accuracyFacts(run), ...probeFacts(run)];
}

/** Each probe has a condition of its own: its questions, whatever else was asked. */
function probeFacts(run: RunDigest): Fact[] {
  const { tasks, started } = run;
  if (!tasks) return [];
  const [first] = tasks.models.map(taskModel);
  return tasks.models.flatMap((each, m) =>
    (each.probes ?? []).flatMap(({ name, items, score, able, key }): Fact[] => {
      if (score === null) return [];
      const apart = m === 0 ? undefined : tasks.differences[m - 1]?.probes?.find((probe) => probe.name === name);
      const { difference = null, interval = null } = apart ?? {};
      return [
        {
          ...{ model: taskModel(each), measure: `probe ${name}`, value: score, text: `${(100 * score).toFixed(1)} %` },
          ...{ condition: `probe ${key}${precisionKey(run.precision)}`, started },
          of: `${formatCount(items)} questions that a seed makes; ${computed(run)}`,
          ...(!able && { unable: true as const }),
          ...(difference !== null && { paired: { difference, interval, to: first } }),
        },
      ];
    }),
  );
}

function accuracyFacts(run: RunDigest): Fact[] {
  const { tasks, started } = run;
  if (!tasks) return [];
  const condition = `items ${tasks.itemsKey}${precisionKey(run.precision)}`;
  const [first] = tasks.models.map(taskModel);
  return tasks.models.flatMap((each, m) => {
    const model = taskModel(each);
    const apart = m === 0 ? undefined : tasks.differences[m - 1];
    const fact = (
      measure: Measure,
      value: number | null,
      items: number,
      difference?: { readonly difference: number | null; readonly interval: number | null },
    ): Fact[] => {
      if (value === null) return [];
      const of = `${formatCount(items)} items of ${partOf(tasks, measure)}; ${computed(run)}`;
      const paired =
        difference && difference.difference !== null
          ? { paired: { difference: difference.difference, interval: difference.interval, to: first } }
          : {};
      return [{ model, measure, value, text: `${(100 * value).toFixed(1)} %`, condition, of, started, ...paired }];
    };
    const items = each.tasks.reduce((sum, task) => sum + task.items, 0);
    return [
      ...fact('accuracy', each.average, items, apart?.average),
      ...each.tasks.flatMap((task) =>
        fact(
          `task ${task.name}`,
          task.value,
          task.items,
          apart?.tasks.find(({ name }) => name === task.name),
        ),
      ),
    ];
  });
}

const taskModel = ({ model, identity, removed, ...on }: TasksDigest['models'][number]): ModelRef =>
  refOf({ name: model, identity, removed, ...onTop(on) });

/** "boolq.jsonl, piqa.jsonl (first 100 records each)"; of one task its own file, if that has the task's name. */
function partOf({ files, from, limit }: TasksDigest, measure: Measure): string {
  const all = files.filter((name) => !name.endsWith('.lst'));
  const letters = (name: string): string => name.toLowerCase().replaceAll(/[^a-z\d]/g, '');
  const own = all.filter((name) => letters(name).includes(letters(measure.replace('task ', ''))));
  const names = (own.length > 0 ? own : all).join(', ');
  if (limit === null) return from === 0 ? names : `${names} (from record ${from})`;
  return `${names} (${from === 0 ? 'first ' : ''}${limit} records each${from === 0 ? '' : ` from ${from}`})`;
}
