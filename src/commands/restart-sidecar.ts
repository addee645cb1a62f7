/** Restart Compute Process: ends the sidecar and starts a new one. */
import type { Command } from '../host/command';

export const restartSidecarCommand: Command = {
  id: 'coppice.restartSidecar',
  needsTrust: true,
  async run({ sidecar }) {
    await sidecar.restart();
    return sidecar.status;
  },
};
