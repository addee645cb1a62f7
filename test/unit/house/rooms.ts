/** The order of the rooms, and checks of imports against it. ARCHITECTURE.md's code map lists the rooms in this order. */
import type { Import } from './repository';

/** From the ground up. Rooms on one level do not import each other. "src/engine" stands for the files directly in it. */
export const LEVELS: readonly (readonly string[])[] = [
  ['src/format'],
  ['src/engine'],
  ['src/engine/files'],
  ['src/engine/application'],
  ['src/engine/parts'],
  ['src/engine/formats'],
  ['src/engine/checkpoint'],
  ['src/engine/tokenizer', 'src/engine/onnx'],
  ['src/engine/vocabulary'],
  ['src/engine/records'],
  ['src/engine/weights'],
  ['src/engine/adapter'],
  ['src/engine/model'],
  ['src/engine/heal'],
  ['src/engine/importance'],
  ['src/engine/write'],
  ['src/engine/evaluate'],
  ['src/engine/verify'],
  ['src/engine/draft'],
  ['src/engine/retrain'],
  ['src/engine/iterate'],
  ['src/l10n.ts'],
  ['src/protocol'],
  ['src/jobs'],
  ['src/estimates'],
  ['src/cluster', 'src/hub', 'src/hand-over'],
  ['src/sharing'],
  ['src/places'],
  ['src/recipes'],
  ['src/agents'],
  ['src/library', 'src/sidecar'],
  ['src/mcp'],
  ['src/cli'],
  ['src/state'],
  ['src/views'],
  ['src/host'],
  ['src/host/ask'],
  ['src/host/cluster', 'src/host/recipes'],
  ['src/host/jobs'],
  ['src/editors'],
  ['src/lm'],
  ['src/commands'],
  ['src/extension.ts'],
  ['webview/support'],
  ['webview/editor', 'webview/panel'],
  ['webview/report'],
];

/** The room of a file, and undefined where no room has it. */
export function roomOf(file: string, levels = LEVELS): string | undefined {
  const inside = levels.flat().filter((room) => file === room || `${file}.ts` === room || file.startsWith(`${room}/`));
  return inside.reduce<string | undefined>(
    (longest, room) => (longest === undefined || room.length > longest.length ? room : longest),
    undefined,
  );
}

/** Imports that exist at run time and lead to a higher room, or to another one on the same level. */
export function upwardImports(imports: readonly Import[], levels = LEVELS): Import[] {
  const levelOf = (room: string): number => levels.findIndex((level) => level.includes(room));
  return imports.filter(({ file, target, typeOnly }) => {
    const [from, to] = [roomOf(file, levels), roomOf(target, levels)];
    if (typeOnly || from === undefined || to === undefined || from === to) return false;
    return levelOf(to) >= levelOf(from);
  });
}

/**
 * Groups of files that import each other in a circle at run time.
 * @param files every file that a target can be
 * @returns each group in ascending order
 */
export function circles(imports: readonly Import[], files: readonly string[]): string[][] {
  const known = new Set(files);
  const next = new Map<string, string[]>();
  for (const { file, target, typeOnly } of imports) {
    const found = ['', '.ts', '.tsx', '/index.ts'].map((ending) => target + ending).find((name) => known.has(name));
    if (!typeOnly && found !== undefined) next.set(file, [...(next.get(file) ?? []), found]);
  }
  return stronglyConnected([...known], (file) => next.get(file) ?? [])
    .filter((group) => group.length > 1 || next.get(group[0])?.includes(group[0]))
    .map((group) => group.sort());
}

/** Strongly connected components (Tarjan 1972). */
function stronglyConnected(nodes: readonly string[], next: (node: string) => readonly string[]): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const groups: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node)!);
    open.push(node);
    for (const other of next(node)) {
      if (!index.has(other)) visit(other);
      if (open.includes(other)) low.set(node, Math.min(low.get(node)!, low.get(other)!));
    }
    if (low.get(node) === index.get(node)) groups.push(open.splice(open.indexOf(node)));
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return groups;
}
