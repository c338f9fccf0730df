/** Draws the page: head, navigation and the chosen view. Handles keys. */
import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import "./style.css";
import { href, route } from "./model/route.ts";
import { report } from "./model/source.ts";
import { connection, live, project, start } from "./model/store.ts";
import { GraphPage } from "./pages/graph.tsx";
import { Overview } from "./pages/overview.tsx";
import { Results } from "./pages/results.tsx";
import { Settings } from "./pages/settings.tsx";
import { TaskPage } from "./pages/task.tsx";
import { Tasks } from "./pages/tasks.tsx";
import { Timeline } from "./pages/timeline.tsx";

const PAGES = [
  ["", "Overview"],
  ["graph", "Graph"],
  ["timeline", "Timeline"],
  ["tasks", "Tasks"],
  ["results", "Results"],
  ["settings", "Settings"],
] as const;

function isThere(name: (typeof PAGES)[number][0]): boolean {
  if (name === "results") return project.value?.hasResults === true;
  return name !== "settings" || report !== null;
}

function App() {
  const { page, rest } = route.value;
  const [help, setHelp] = useState(false);
  const find = useRef<HTMLInputElement>(null);
  useKeys({ find: () => find.current?.focus(), help: () => setHelp(true) });
  const title = project.value?.name ?? "lq";
  useEffect(() => {
    const failed = live.value?.failed.length ?? 0;
    document.title = `${failed > 0 ? `✕ ${failed} · ` : ""}${title}`;
  });
  return (
    <>
      <header>
        <a class="skip" href="#content" onClick={skip}>
          skip to the content
        </a>
        <strong class="logo">lq</strong>
        <span class="note">{title}</span>
        <nav aria-label="Pages">
          {PAGES.filter(([name]) => isThere(name)).map(([name, text]) => (
            <a key={name} href={href(name)} aria-current={page === name ? "page" : undefined}>
              {text}
            </a>
          ))}
        </nav>
        <form role="search" onSubmit={(event) => search(event, find.current)}>
          <input ref={find} type="search" aria-label="Find a task" placeholder="Find a task  ( / )" />
        </form>
        <ConnectionSign />
        <button type="button" class="quiet" aria-label="Keys" onClick={() => setHelp(true)}>
          ?
        </button>
      </header>
      <ConnectionNote />
      <main id="content" tabIndex={-1}>
        {page === "" && <Overview />}
        {page === "graph" && <GraphPage task={rest} />}
        {page === "tasks" && <Tasks />}
        {page === "task" && <TaskPage id={rest} />}
        {page === "timeline" && <Timeline />}
        {page === "results" && <Results />}
        {page === "settings" && report && <Settings settings={report.settings} />}
        {!["", "graph", "tasks", "task", "timeline", "results", "settings"].includes(page) && (
          <p>There is no page of this name.</p>
        )}
      </main>
      {help && <Keys close={() => setHelp(false)} />}
    </>
  );
}

function ConnectionSign() {
  if (report !== null)
    return (
      <span class="note connection">
        report of build {report.build.build.head.build} <span class="pill">lq {report.project.version}</span>
      </span>
    );
  const isLive = connection.value === "live";
  return (
    <span class="note connection">
      <span class={isLive ? "dot on" : "dot"} aria-hidden="true">
        ●
      </span>{" "}
      {isLive ? "live" : connection.value === "connecting" ? "connecting" : "not connected"}{" "}
      <span class="pill">read-only</span>
    </span>
  );
}

function ConnectionNote() {
  const state = connection.value;
  if (state === "lost")
    return (
      <p class="banner" role="status">
        connection lost, trying again
      </p>
    );
  if (state !== "gone") return null;
  return (
    <p class="banner" role="status">
      The server has gone. Start it again with <code>lq ui</code> and open the address that it prints; what
      stands here is from before.
    </p>
  );
}

/** Moves the focus itself: a link to a fragment would change the page's own address. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function search(event: Event, input: HTMLInputElement | null): void {
  event.preventDefault();
  location.hash = href("tasks", "", { q: input?.value ?? "" });
}

const KEYS = [
  ["/", "find a task"],
  ["1 … 6", "the pages, in their order"],
  ["Esc", "close, or leave a field"],
  ["?", "this list"],
] as const;

function useKeys({ find, help }: { readonly find: () => void; readonly help: () => void }): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target, key } = event;
      const isField = target instanceof HTMLElement && target.matches("input, select, textarea");
      if (isField && key === "Escape") target.blur();
      if (isField || event.ctrlKey || event.metaKey || event.altKey) return;
      const page = PAGES.filter(([name]) => isThere(name))[Number(key) - 1];
      if (key === "/") find();
      else if (key === "?") help();
      else if (page !== undefined) location.hash = href(page[0]);
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}

function Keys({ close }: { readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={close} aria-label="Keys">
      <dl>
        {KEYS.map(([key, text]) => (
          <>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        close
      </button>
    </dialog>
  );
}

start();
const place = document.getElementById("page");
if (place !== null) render(<App />, place);
