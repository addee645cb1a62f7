/**
 * Puts the labels of a chart where nothing is: each label has places that it would like, and takes the one that crosses
 * fewest lines, symbols and earlier labels. In pixels. Pure.
 */

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Segment {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface LabelPlace {
  readonly box: Box;
  /** How much worse it is than the best one, in pixels of distance. */
  readonly cost: number;
  /** From what the label names to a label that is away from it. */
  readonly leader?: Segment;
}

export interface Obstacles {
  readonly lines: readonly Segment[];
  readonly boxes: readonly Box[];
  /** Labels stay inside. */
  readonly area: Box;
}

export interface Wish {
  readonly places: readonly LabelPlace[];
  /** Left out rather than put where something is. */
  readonly optional?: boolean;
}

/** A crossing is as bad as so many pixels of distance, so that a label rather moves away. */
const CROSSED_LINE = 300;
const CROSSED_BOX = 1000;
/** Free room around a label. */
const ROOM = 2;
/** Distances from a symbol that are tried, and from where on a label needs a leader. */
const DISTANCES = [0, 10, 22, 36, 54, 76, 100];
const LEADER_FROM = 20;
const DIRECTIONS = 16;

/**
 * The best place of each label, in order: earlier labels choose first.
 * @param wishes the places that each label may take
 * @returns undefined for a label without a place
 */
export function placeLabels(wishes: readonly Wish[], { lines, boxes, area }: Obstacles): (LabelPlace | undefined)[] {
  const taken: Box[] = [...boxes];
  const leaders: Segment[] = [...lines];
  return wishes.map(({ places, optional }) => {
    let best: LabelPlace | undefined;
    let least = Infinity;
    for (const place of places) {
      if (!isInside(place.box, area)) continue;
      const crossed = crossings(place, leaders, taken);
      if (optional && crossed > 0) continue;
      if (place.cost + crossed < least) [best, least] = [place, place.cost + crossed];
    }
    if (best) {
      taken.push(best.box);
      if (best.leader) leaders.push(best.leader);
    }
    return best;
  });
}

/** Places around a symbol of this radius: at its right and left first, then above and below, then farther away. */
export function around(x: number, y: number, radius: number, width: number, height: number): LabelPlace[] {
  return DISTANCES.flatMap((distance) =>
    Array.from({ length: DIRECTIONS }, (_, k): LabelPlace => {
      const angle = (2 * Math.PI * k) / DIRECTIONS;
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)];
      const reach = radius + 4 + distance;
      const box = {
        x: x + dx * (reach + width / 2) - width / 2,
        y: y + dy * (reach + height / 2) - height / 2,
        width,
        height,
      };
      // Above reads better than below, where the numbers of the axis are.
      const cost = distance + 3 * Math.abs(dy) + (dy > 0 ? 3 : 0);
      if (distance < LEADER_FROM) return { box, cost };
      const [toX, toY] = [Math.min(box.x + width, Math.max(box.x, x)), Math.min(box.y + height, Math.max(box.y, y))];
      const length = Math.hypot(toX - x, toY - y);
      const from = (radius + 1) / length;
      return {
        box,
        cost,
        leader: { x1: x + (toX - x) * from, y1: y + (toY - y) * from, x2: toX, y2: toY },
      };
    }),
  );
}

/** Places above and below a horizontal line, at its right end first. */
export function along(y: number, from: number, to: number, width: number, height: number): LabelPlace[] {
  const steps = Math.max(1, Math.floor((to - from - width) / 12));
  return Array.from({ length: steps + 1 }, (_, k) => to - width - ((to - from - width) * k) / steps).flatMap((x, k) => [
    { box: { x, y: y - height - ROOM - 1, width, height }, cost: 2 * k },
    { box: { x, y: y + ROOM + 1, width, height }, cost: 2 * k + 5 },
  ]);
}

function crossings({ box, leader }: LabelPlace, lines: readonly Segment[], boxes: readonly Box[]): number {
  const wide = { x: box.x - ROOM, y: box.y - ROOM, width: box.width + 2 * ROOM, height: box.height + 2 * ROOM };
  const crossed = lines.filter((line) => crosses(line, wide)).length;
  const covered = boxes.filter((other) => overlap(wide, other)).length;
  const behind = leader ? boxes.filter((other) => crosses(leader, other)).length : 0;
  return crossed * CROSSED_LINE + (covered + behind) * CROSSED_BOX;
}

const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;

const isInside = (box: Box, area: Box): boolean =>
  box.x >= area.x &&
  box.y >= area.y &&
  box.x + box.width <= area.x + area.width &&
  box.y + box.height <= area.y + area.height;

/** Whether a line passes through a box (Liang and Barsky's clipping). */
function crosses({ x1, y1, x2, y2 }: Segment, { x, y, width, height }: Box): boolean {
  let [from, to] = [0, 1];
  const [dx, dy] = [x2 - x1, y2 - y1];
  for (const [slope, room] of [
    [-dx, x1 - x],
    [dx, x + width - x1],
    [-dy, y1 - y],
    [dy, y + height - y1],
  ]) {
    if (slope === 0) {
      if (room < 0) return false;
      continue;
    }
    const at = room / slope;
    if (slope < 0) from = Math.max(from, at);
    else to = Math.min(to, at);
    if (from > to) return false;
  }
  return true;
}
