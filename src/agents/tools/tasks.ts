/** Measures accuracy in tasks, of one or several models. */
import { availableTasks } from '../../engine/evaluate/tasks/available';
import { type ProbeName, probesNamed, QUESTIONS } from '../../format/probes';
import type { TaskName } from '../../engine/evaluate/tasks/catalogue';
import type { JsonObject } from '../../format/json';
import { JOBS } from '../../jobs/definitions';
import { questionsOfFile } from '../../jobs/amounts';
import { questionsOfTask } from '../../jobs/questions';
import { l10n } from '../../l10n';
import { askComputing, nameOf, opened } from '../confirm';
import { chosen } from '../input';
import { jobTool } from '../job-tool';

export const tasks = jobTool({
  name: 'coppice_tasks',
  kind: 'tasks',
  title: () => l10n.t('Evaluate Tasks'),
  description:
    'Measures accuracy: lets one or several models answer the same questions, and compares each with the first one, item ' +
    'by item. "data": a folder with files of BoolQ, PIQA, HellaSwag, WinoGrande, ARC or OpenBookQA; "own": JSON files of ' +
    "the user's own questions (*.coppice-tasks.json). " +
    'Without such files: "probes", questions made from a seed that show what broke. Returns accuracies with ' +
    'standard errors, and differences with 95 % intervals: a difference within its interval says nothing.',
  effect: 'computes',
  options: chosen(JOBS.tasks.options, {
    bos: true,
    checkpoints: 'the models; the first one, the original, is compared with',
    data: true,
    tasks: 'of the data; default: all that are there',
    own: true,
    probes: 'all, or some; needs no files',
    limit: true,
    remove: 'leave out these blocks of the last model without writing anything: [10, 12]',
  }),
  ask: async (given, context) => {
    const paths = given.checkpoints as readonly string[];
    const { checkpoint } = await opened(paths[0], context.signal);
    const title = l10n.t('Let {0} answer questions?', nameOf(checkpoint));
    const lines = [l10n.t('{0} models answer {1} questions at most.', paths.length, await itemsOf(given))];
    return askComputing(title, lines, { kind: 'tasks', options: given }, context);
  },
});

async function itemsOf({ data, tasks: names, own = [], probes = [] }: JsonObject): Promise<number> {
  let items = QUESTIONS * probesNamed(probes as readonly ProbeName[]).length;
  for (const file of own as readonly string[]) items += questionsOfFile(file)?.items ?? 0;
  if (typeof data !== 'string') return items;
  const known = (names as readonly TaskName[] | undefined) ?? (await availableTasks(data));
  for (const name of known) items += await questionsOfTask(name, data);
  return items;
}
