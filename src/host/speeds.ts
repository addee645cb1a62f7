/** Takes what earlier versions of the editor have learned of this machine into the file of its speeds, once. */
import type { RemoteSpeeds } from '../sidecar/speeds';
import type { Memento } from '../state/memento';

/** Where they kept it. */
const OLD = ['speeds', 'speed.decode', 'speed.files', 'speed.compared', 'gridRates'];

export async function takeOldSpeeds(state: Memento, speeds: RemoteSpeeds): Promise<void> {
  const old = OLD.map((key) => [key, state.get(key)] as const).filter(([, value]) => value !== undefined);
  if (old.length === 0) return;
  await speeds.ready;
  speeds.adopt(Object.fromEntries(old.map(([key, value]) => [key.replace(/^speed\./, ''), value])));
  await speeds.save();
  for (const [key] of old) await state.update(key, undefined);
}
