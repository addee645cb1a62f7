/** SkyPilot's own validator, in an environment of Python that COPPICE_TEST_SKYPILOT names: with what it needs, it has some 500 MB. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const environment = process.env.COPPICE_TEST_SKYPILOT;

/** Python with SkyPilot; undefined where none is named. */
export const skypilotPython = environment && join(environment, 'bin', 'python');

const SCRIPT = `
import json, sys, yaml
import sky
faults = []
for text in json.load(sys.stdin):
    try:
        sky.Task.from_yaml_config(yaml.safe_load(text))
        faults.append('')
    except Exception as error:
        faults.append(str(error) or repr(error))
print(json.dumps(faults))
`;

/** What SkyPilot finds wrong with the text of a task file; empty for nothing. Each in turn. */
export function taskFault(texts: readonly string[]): string[] {
  const answer = execFileSync(skypilotPython!, ['-c', SCRIPT], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    env: { ...process.env, SKYPILOT_DISABLE_USAGE_COLLECTION: '1' },
  });
  return JSON.parse(answer.trim().split('\n').at(-1)!) as string[];
}
