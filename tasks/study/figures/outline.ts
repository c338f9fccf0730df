/** The outline of a region of pixels, as path data with edges along the pixels. */

/**
 * @param inside whether the pixel (column, row) is in the region; asked for (-1 … width, -1 … height) too
 * @param unit width and height of a pixel
 * @returns closed loops around the region and its holes, for the even-odd rule; empty for an empty region
 */
export function outlineOf(
  inside: (column: number, row: number) => boolean,
  width: number,
  height: number,
  unit: readonly [number, number],
): string {
  const next = edges(inside, width, height);
  const loops: string[] = [];
  for (const [start, ends] of next) {
    while (ends.length > 0) loops.push(loopFrom(start, next, unit));
  }
  return loops.join("");
}

type Corner = `${number} ${number}`;

/** For each corner, the corners to which an edge leads from it. The region lies to the right of each edge. */
function edges(
  inside: (column: number, row: number) => boolean,
  width: number,
  height: number,
): Map<Corner, Corner[]> {
  const next = new Map<Corner, Corner[]>();
  const add = (x: number, y: number, toX: number, toY: number) => {
    const from: Corner = `${x} ${y}`;
    const ends = next.get(from);
    if (ends === undefined) next.set(from, [`${toX} ${toY}`]);
    else ends.push(`${toX} ${toY}`);
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!inside(x, y)) continue;
      if (!inside(x, y - 1)) add(x, y, x + 1, y);
      if (!inside(x + 1, y)) add(x + 1, y, x + 1, y + 1);
      if (!inside(x, y + 1)) add(x + 1, y + 1, x, y + 1);
      if (!inside(x - 1, y)) add(x, y + 1, x, y);
    }
  }
  return next;
}

/** Follows edges until there is none left, which is at the start again. Edges in one line become one. */
function loopFrom(
  start: Corner,
  next: ReadonlyMap<Corner, Corner[]>,
  [unitX, unitY]: readonly [number, number],
): string {
  const points: (readonly [number, number])[] = [];
  let at: Corner | undefined = start;
  while (at !== undefined) {
    const [x, y] = at.split(" ").map(Number) as [number, number];
    const [before, last] = points.slice(-2);
    const straight =
      before !== undefined &&
      last !== undefined &&
      ((before[0] === last[0] && last[0] === x) || (before[1] === last[1] && last[1] === y));
    if (straight) points.pop();
    points.push([x, y]);
    at = next.get(at)?.pop();
  }
  const place = ([x, y]: readonly [number, number]) => `${round(x * unitX)} ${round(y * unitY)}`;
  return `M${points.slice(0, -1).map(place).join("L")}z`;
}

const round = (value: number) => Number(value.toFixed(2));
