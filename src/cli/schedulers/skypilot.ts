/** `coppice submit skypilot`: a task file, which the user launches. */
import { SKYPILOT_OPTIONS } from '../../cluster/skypilot/asked';
import { namedOptions, type SchedulerFace } from './face';

export const skypilotFace: SchedulerFace = {
  name: 'skypilot',
  title: 'SkyPilot',
  description:
    'Writes task.yaml, a task that computes the parts on the nodes of a cluster, into the folder of the run (--write). ' +
    'SkyPilot starts machines that cost money, so you launch the task yourself. Nodes see two buckets: that of models at ' +
    '/models, and that of records at /records. The paths of model and texts are those that nodes have for them.',
  ...namedOptions(SKYPILOT_OPTIONS),
  command: ['coppice'],
  recipes: 'its tasks cannot wait for each other, so the steps of a recipe would start before those that they need',
  examples: [
    '/models/SmolLM2-135M --calibration /models/prose.txt --parts 8 --models s3://my-models --records s3://my-records --write',
    '/models/SmolLM2-135M --calibration /models/prose.txt --parts 8 --nodes 4 --gpus L4:1 --spot yes --records gs://my-data --write',
  ],
};
