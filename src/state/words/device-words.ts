/** Describes the device that computes. Does not use VS Code, so that plain Node can test it. */
import { l10n } from '../../l10n';
import type { DeviceInfo } from '../../protocol/jobs';

/** One line for the device and its reason, and one for each other provider that the reason does not name. */
export function deviceLines({ provider, why, tried, integers }: DeviceInfo): string[] {
  const others = tried.filter((trial) => !why.includes(trial.provider));
  return [
    l10n.t('Computes on {0}: {1}', provider, why),
    ...(integers === undefined ? [] : [l10n.t('Screens with {0}', integers)]),
    ...others.flatMap((trial) => {
      if (trial.error !== undefined) return [`${trial.provider}: ${trial.error}`];
      return trial.gflops === undefined ? [] : [l10n.t('{0}: {1} GFLOP/s', trial.provider, Math.round(trial.gflops))];
    }),
  ];
}
