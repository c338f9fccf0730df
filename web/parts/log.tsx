/** Shows a task's log, with a search. It follows new output unless the user scrolls up. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { isError, spans } from "../model/ansi.ts";
import { bytes, count } from "../model/format.ts";
import { ask } from "../model/source.ts";
import { VirtualLines } from "./virtual-lines.tsx";

/** Milliseconds between two reads of a log that grows. */
const EVERY_MS = 1_000;

export function Log({ task, isRunning }: { readonly task: string; readonly isRunning: boolean }) {
  const { text, size, error } = useLog(task, isRunning);
  const [search, setSearch] = useState("");
  const [target, setTarget] = useState<{ readonly line: number } | null>(null);
  const lines = useMemo(() => text.replace(/\n$/, "").split("\n"), [text]);
  const hits = useMemo(() => {
    const wanted = search.toLowerCase();
    return wanted === "" ? [] : lines.flatMap((line, i) => (line.toLowerCase().includes(wanted) ? [i] : []));
  }, [lines, search]);
  const firstError = useMemo(() => lines.findIndex(isError), [lines]);
  const hit = useRef(-1);
  const goToNext = (): void => {
    if (hits.length === 0) return;
    hit.current = (hit.current + 1) % hits.length;
    setTarget({ line: hits[hit.current] ?? 0 });
  };
  useEffect(() => void (hit.current = -1), [search]);
  return (
    <section class="card log" aria-labelledby="log">
      <h2>
        <span id="log">Log</span> <span class="note">{size > 0 ? bytes(size) : ""}</span>
      </h2>
      {text === "" ? (
        <p class="note">{error ?? (isRunning ? "nothing printed yet" : "its last run printed nothing")}</p>
      ) : (
        <>
          <form
            class="filters"
            onSubmit={(event) => {
              event.preventDefault();
              goToNext();
            }}
          >
            <label>
              search{" "}
              <input
                type="search"
                value={search}
                onInput={({ currentTarget }) => setSearch(currentTarget.value)}
              />
            </label>
            <button type="submit">next</button>
            <span class="note">{search === "" ? "" : `${count(hits.length)} lines`}</span>
            {firstError >= 0 && (
              <button type="button" onClick={() => setTarget({ line: firstError })}>
                first error
              </button>
            )}
          </form>
          <VirtualLines
            length={lines.length}
            target={target}
            label="Text of the log"
            line={(i) => {
              const line = lines[i] ?? "";
              const marked = target?.line === i ? "marked" : hits.includes(i) ? "hit" : "";
              return (
                <span class={marked}>
                  {spans(line).map(({ text: part, style }, k) => (
                    <span key={k} class={style}>
                      {part}
                    </span>
                  ))}
                </span>
              );
            }}
          />
          {text.includes("[lq: ") && (
            <p class="note">A log keeps the first 8 MiB and the last 64 KiB of what a task prints.</p>
          )}
        </>
      )}
    </section>
  );
}

/** Reads the log in pieces as it grows. It starts again if the log has become shorter. */
function useLog(task: string, isRunning: boolean) {
  const [log, setLog] = useState({ task: "", text: "", size: 0, error: null as string | null });
  const place = useRef({ task: "", from: 0 });
  useLayoutEffect(() => {
    let wanted = true;
    const look = async (): Promise<void> => {
      if (place.current.task !== task) {
        place.current = { task, from: 0 };
        setLog({ task, text: "", size: 0, error: null });
      }
      for (;;) {
        const { from } = place.current;
        const query = new URLSearchParams({ task, from: String(from) });
        const part = await ask<{ text: string; size: number; next: number }>(`log?${query.toString()}`).catch(
          () => null,
        );
        if (!wanted || part === null) return;
        const isShorter = part.size < from;
        place.current.from = isShorter ? 0 : part.next;
        setLog(({ text }) => ({
          task,
          text: isShorter ? "" : text + part.text,
          size: part.size,
          error: null,
        }));
        if (!isShorter && part.next >= part.size) return;
      }
    };
    void look();
    const timer = isRunning ? setInterval(() => void look(), EVERY_MS) : undefined;
    return () => {
      wanted = false;
      clearInterval(timer);
    };
  }, [task, isRunning]);
  return log;
}
