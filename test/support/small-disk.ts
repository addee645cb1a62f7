/** A disk of a few megabytes, where the machine lets a test mount one. */
import { execFileSync } from 'node:child_process';
import { temporaryFolder } from './temporary';

/** A group of tests on a disk of its own, which are skipped where none can be mounted. `disk` gives its folder to the tests. */
export function describeSmallDisk(title: string, megabytes: number, body: (disk: () => string) => void): void {
  describe(title, () => {
    let disk: string;
    before(function () {
      disk = temporaryFolder();
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk], { stdio: 'ignore' });
      } catch {
        this.skip(); // needs the right to mount a small disk
      }
    });
    after(() => {
      try {
        execFileSync('umount', [disk], { stdio: 'ignore' });
      } catch {
        // it was never mounted
      }
    });
    body(() => disk);
  });
}
