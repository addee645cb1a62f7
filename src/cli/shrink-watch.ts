/**
 * Says why the process ended when a file of weights was cut while onnxruntime had it mapped. The system ends a process that
 * reads behind the end of a mapped file (SIGBUS), and nothing in that process can say so. So a small shell waits for its end
 * and looks whether the files are shorter than they were. It takes a millisecond to start, and no memory worth naming.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { onMapped } from '../engine/onnx/mapped';

/** Reads lines "SIZE PATH" until this process ends; "ended" says that it has said all itself. */
const SCRIPT = `
while IFS= read -r line; do
  [ "$line" = ended ] && exit 0
  set -- "$@" "$line"
done
for line in "$@"; do
  path=\${line#* }
  size=$(wc -c 2>/dev/null <"$path") || continue
  [ "$size" -lt "\${line%% *}" ] || continue
  [ -t 2 ] && echo >&2
  printf 'error: %s was cut while Coppice read it\n  why: it became shorter, and the system ends a program that reads behind the end of such a file (SIGBUS)\n  try: Fetch or write the file again, and then run again.\n' "$path" >&2
  exit 0
done
`;

let watches = false;

/** Begins with the first file that is mapped, once in a process. On Windows no other program can cut such a file. */
export function watchForShrinking(): void {
  if (watches || process.platform === 'win32') return;
  watches = true;
  const known = new Set<string>();
  let shell: ChildProcess | undefined;
  onMapped((files) => {
    for (const file of files) {
      if (known.has(file) || file.includes('\n')) continue;
      known.add(file);
      const size = statSync(file, { throwIfNoEntry: false })?.size;
      if (size === undefined) continue; // opening it says so
      const line = `${size} ${file}`;
      if (shell) shell.stdin?.write(`${line}\n`);
      else shell = start(line);
    }
  });
}

/** The pipe closes when this process ends, in whatever way. The shell knows the first file as soon as it is there. */
function start(first: string): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sh', first], { stdio: ['pipe', 'ignore', 'inherit'], cwd: '/' });
  shell.on('error', () => undefined); // then a crash stays unexplained
  shell.stdin?.on('error', () => undefined);
  shell.unref();
  (shell.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  process.once('exit', () => shell.stdin?.write('ended\n'));
  return shell;
}
