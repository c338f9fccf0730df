/** Puts only the visible rows of a table into the document, so that 100,000 rows scroll like 100. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

/** Height of a row in pixels, as in the style sheet. */
const ROW = 30;
/** How many rows to draw above and below the visible part. */
const MARGIN = 10;

export function VirtualRows({ length, columns, head, row, label }: VirtualRowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ first: 0, shown: 40 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const look = (): void => {
      const first = Math.max(0, Math.floor(element.scrollTop / ROW) - MARGIN);
      const shown = Math.min(150, Math.ceil(element.clientHeight / ROW) + 2 * MARGIN);
      setView((before) => (before.first === first && before.shown === shown ? before : { first, shown }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, []);
  const first = Math.min(view.first, Math.max(0, length - 1));
  const shown = Math.min(view.shown, length - first);
  return (
    <div class="virtual" ref={box} tabIndex={0} role="region" aria-label={label}>
      <table aria-rowcount={length + 1} aria-label={label}>
        <thead>
          <tr aria-rowindex={1}>{head}</tr>
        </thead>
        <tbody>
          <Space rows={first} columns={columns} />
          {Array.from({ length: shown }, (_, i) => (
            <tr key={first + i} aria-rowindex={first + i + 2}>
              {row(first + i)}
            </tr>
          ))}
          <Space rows={length - first - shown} columns={columns} />
        </tbody>
      </table>
    </div>
  );
}

interface VirtualRowsProps {
  readonly length: number;
  readonly columns: number;
  readonly head: ComponentChildren;
  readonly row: (i: number) => ComponentChildren;
  readonly label: string;
}

/** Takes the space of the rows that are not in the document. */
function Space({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  const cell = useRef<HTMLTableCellElement>(null);
  useLayoutEffect(() => {
    if (cell.current !== null) cell.current.style.height = `${rows * ROW}px`;
  });
  return (
    rows > 0 && (
      <tr aria-hidden="true" class="space">
        <td colSpan={columns} ref={cell} />
      </tr>
    )
  );
}
