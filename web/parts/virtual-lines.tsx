/** Puts only the visible lines of a text into the document. It stays at the end while text is added. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";

/** Height of a line in pixels, as in the style sheet. */
const LINE = 18;
const MARGIN = 15;

export function VirtualLines({ length, line, target, label }: VirtualLinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const space = useRef<HTMLDivElement>(null);
  const text = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  const [view, setView] = useState({ first: 0, shown: 60 });
  const look = (): void => {
    const element = box.current;
    if (element === null) return;
    const first = Math.max(0, Math.floor(element.scrollTop / LINE) - MARGIN);
    const shown = Math.min(180, Math.ceil(element.clientHeight / LINE) + 2 * MARGIN);
    setView((before) => (before.first === first && before.shown === shown ? before : { first, shown }));
  };
  const first = Math.min(view.first, Math.max(0, length - 1));
  useLayoutEffect(() => {
    space.current!.style.height = `${length * LINE}px`;
    text.current!.style.top = `${first * LINE}px`;
    if (follows.current) box.current!.scrollTop = length * LINE;
  }, [length, first]);
  useLayoutEffect(look, []);
  useLayoutEffect(() => {
    if (target === null) return;
    follows.current = false;
    box.current!.scrollTop = Math.max(0, (target.line - 4) * LINE);
  }, [target]);
  return (
    <div
      class="lines"
      ref={box}
      role="region"
      aria-label={label}
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < 2 * LINE;
        look();
      }}
    >
      <div class="space" ref={space}>
        <pre ref={text}>
          {Array.from({ length: Math.min(view.shown, length - first) }, (_, i) => (
            <div key={first + i}>{line(first + i)}</div>
          ))}
        </pre>
      </div>
    </div>
  );
}

interface VirtualLinesProps {
  readonly length: number;
  readonly line: (i: number) => ComponentChildren;
  /** The line to go to. A new object goes there again. */
  readonly target: { readonly line: number } | null;
  readonly label: string;
}
