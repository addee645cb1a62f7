/** `coppice submit kubernetes`: a manifest, and kubectl that hands it over. */
import { KUBERNETES_OPTIONS } from '../../cluster/kubernetes/asked';
import { namedOptions, type SchedulerFace } from './face';

export const kubernetesFace: SchedulerFace = {
  name: 'kubernetes',
  title: 'Kubernetes',
  description:
    'Writes job.yaml, an Indexed Job with a pod for each part, into the folder of the run, and hands it over with kubectl. ' +
    'Pods see two volumes: that of models at /models, and that of records at /records, in which the folder of the run lies. ' +
    'The paths of model and texts are those that pods have for them. Needs Kubernetes 1.33 or newer.',
  ...namedOptions(KUBERNETES_OPTIONS),
  command: ['coppice'],
  recipes: 'its Jobs cannot wait for each other, so the steps of a recipe would start before those that they need',
  examples: [
    '/models/SmolLM2-135M --calibration /models/prose.txt --parts 8 --models-claim models --records-claim records',
    '/models/SmolLM2-135M --calibration /models/prose.txt --parts 8 --records-claim records --cpus 4 --memory-limit 8GiB --write',
  ],
};
