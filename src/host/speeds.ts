/** The speeds of this machine in the editor: of the file that processes which compute write. Does not use VS Code. */
import { cacheFolder } from '../engine/files/cache';
import { MachineSpeeds } from '../estimates/machine';
import type { SidecarClient } from '../sidecar/client';
import type { Memento } from '../state/memento';

/** Where earlier versions of the editor kept them. */
const OLD = ['speeds', 'speed.decode', 'speed.files', 'speed.compared', 'gridRates'];

/** The compute process learns from its jobs, and the file has it when they end. */
export function speedsOf(
  { globalState }: { readonly globalState: Memento },
  client: Pick<SidecarClient, 'onEnded'>,
): MachineSpeeds {
  const speeds = new MachineSpeeds(cacheFolder());
  void speeds.read().then(() => takeOld(globalState, speeds));
  client.onEnded(() => void speeds.read());
  return speeds;
}

/** Takes what an earlier version has learned into the file, once. */
async function takeOld(state: Memento, speeds: MachineSpeeds): Promise<void> {
  const old = OLD.map((key) => [key, state.get(key)] as const).filter(([, value]) => value !== undefined);
  if (old.length === 0) return;
  speeds.adopt(Object.fromEntries(old.map(([key, value]) => [key.replace(/^speed\./, ''), value])));
  await speeds.save();
  for (const [key] of old) await state.update(key, undefined);
}
