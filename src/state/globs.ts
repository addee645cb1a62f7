/** Joins several globs into one. VS Code takes a single glob and does not support nested braces. */

/** Returns undefined without globs. */
export function anyOf(globs: readonly string[]): string | undefined {
  const flat = globs.flatMap(expand).filter((glob) => glob !== '');
  return flat.length > 0 ? `{${flat.join(',')}}` : undefined;
}

/** "a/{b,c{d,e}}" → "a/b", "a/cd", "a/ce". An unclosed brace is dropped. */
function expand(glob: string): string[] {
  const start = glob.indexOf('{');
  if (start < 0) return [glob];
  const choices: string[] = [];
  for (let at = start + 1, depth = 1, from = at; at < glob.length; at++) {
    if (glob[at] === '{') depth++;
    if (glob[at] === '}') depth--;
    if (depth === 0 || (depth === 1 && glob[at] === ',')) {
      choices.push(glob.slice(from, at));
      from = at + 1;
    }
    if (depth === 0) {
      const [before, after] = [glob.slice(0, start), glob.slice(at + 1)];
      return choices.flatMap((choice) => expand(before + choice + after));
    }
  }
  return expand(glob.slice(0, start) + glob.slice(start + 1));
}
