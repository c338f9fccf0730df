/** The first page: what the running build does, or which tasks are stale, and why. */
import { useState } from "preact/hooks";
import type { CauseView } from "../../src/ui/messages.ts";
import type { BuildView } from "../../src/ui/answers/build.ts";
import { count, counted, duration } from "../model/format.ts";
import { href } from "../model/route.ts";
import { groupRows, type GroupRow, type RuleRow } from "../model/rules.ts";
import { report } from "../model/source.ts";
import { isRunning, live, now, project, dependOnLive } from "../model/store.ts";
import { Bar, Card, Sign, TaskLink, useAnswer } from "../parts/basics.tsx";
import { BuildHeader } from "../parts/build-header.tsx";

export function Overview() {
  return (
    <>
      <h1 class="hidden">Overview</h1>
      <BuildHeader />
      <div class="columns">
        <ByRule />
        <div class="side">
          <Failed />
          <Running />
          <Why />
        </div>
      </div>
    </>
  );
}

function ByRule() {
  const rows = groupRows.value;
  const running = isRunning.value;
  return (
    <Card title="By rule" note={running ? "in this build" : "as they are now"}>
      <div class="scroll">
        <table class="rules" aria-label="By rule">
          <thead>
            <tr>
              <th scope="col">rule</th>
              <th scope="col">progress</th>
              <th scope="col" class="number">
                {running ? "done" : "fresh"}
              </th>
              <th scope="col" class="number">
                each
              </th>
              <th scope="col" class="number">
                {running ? "left" : "to do"}
              </th>
            </tr>
          </thead>
          {rows.map((row) =>
            "rules" in row ? (
              <Group key={row.name} group={row} />
            ) : (
              <tbody key={row.name}>
                <Rule row={row} />
              </tbody>
            ),
          )}
        </table>
      </div>
    </Card>
  );
}

function Group({ group }: { readonly group: GroupRow }) {
  const [isOpen, setOpen] = useState(group.sign !== "fresh" || group.rules.length <= 4);
  return (
    <tbody>
      <tr class="group">
        <th scope="rowgroup">
          <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span> {group.name}
          </button>
        </th>
        <Numbers row={group} />
      </tr>
      {isOpen && group.rules.map((row) => <Rule key={row.name} row={row} />)}
    </tbody>
  );
}

function Rule({ row }: { readonly row: RuleRow }) {
  const more = row.moreAfter.length > 0;
  return (
    <tr>
      <th scope="row">
        <Sign state={row.sign} /> <a href={href("tasks", "", { rule: row.name })}>{row.name}</a>
        <span class="hidden">, {row.sign}</span>
        {more && (
          <span class="note" title={`known when ${row.moreAfter.join(", ")} is there`}>
            {" "}
            more to come
          </span>
        )}
      </th>
      <Numbers row={row} />
    </tr>
  );
}

function Numbers({ row: { parts, done, total, each, left } }: { readonly row: RuleRow }) {
  return (
    <>
      <td class="wide">
        <Bar parts={parts} total={total} />
      </td>
      <td class="number">
        {count(done)} <span class="note">/ {count(total)}</span>
      </td>
      <td class="number">{each === null ? "" : duration(each)}</td>
      <td class="number">{left === null ? "" : duration(left)}</td>
    </>
  );
}

function Failed() {
  dependOnLive();
  const failed = live.value?.failed ?? [];
  const [first, ...others] = failed;
  if (first === undefined) return null;
  return (
    <Card title="Failed" note={count(failed.length)} class="alarm">
      {[first, ...others].slice(0, 5).map(({ task, error, tail, seconds, devices, attempt }) => (
        <article key={task}>
          <p>
            <TaskLink id={task} />
          </p>
          <p>
            {error} after {duration(seconds)}
            {devices.length > 0 && `, on GPU ${devices.join(", ")}`}
            {attempt > 1 && `, attempt ${attempt}`}
          </p>
          {tail.length > 0 && (
            <pre tabIndex={0} aria-label={`last lines of ${task}`}>
              {tail.slice(-6).join("\n")}
            </pre>
          )}
          <p class="links">
            <a href={href("task", task)}>Whole log and why it ran</a>
          </p>
        </article>
      ))}
      {failed.length > 5 && <a href={href("tasks", "", { state: "failed" })}>and {failed.length - 5} more</a>}
    </Card>
  );
}

function Running() {
  dependOnLive();
  const build = live.value;
  if (!isRunning.value || build === null) return null;
  const running = build.progress.running;
  const { waiting } = build.progress;
  return (
    <Card title="Running now" note={count(running.length)}>
      {waiting.length > 0 && <p>Tasks wait: {waiting.join("; ")}</p>}
      <ul class="plain">
        {running.slice(0, 12).map(({ id, since, fraction, note }) => (
          <li key={id}>
            <TaskLink id={id} />
            <p class="note">
              {[
                ...(build.runs.get(id)?.devices ?? []).map((device) => `GPU ${device}`),
                duration(Math.max(0, (now.value - since) / 1000)),
                ...(note === "" ? [] : [note]),
              ].join(" · ")}
            </p>
            {fraction > 0 && <Bar parts={[{ kind: "running", value: fraction }]} total={1} />}
          </li>
        ))}
      </ul>
      {running.length > 12 && <p>and {running.length - 12} more</p>}
    </Card>
  );
}

function Why() {
  const running = isRunning.value;
  const number = live.value?.head.build ?? project.value?.builds[0]?.build;
  const causes = project.value?.causes ?? [];
  const stale = !running && report === null && causes.length > 0;
  // The history of a running build grows, so read it again at intervals.
  const every = running ? Math.floor(now.value / 10_000) : 0;
  const built = useAnswer<BuildView>(stale || number === undefined ? null : `build?number=${number}`, every);
  const shown = stale ? causes : (built.data?.causes ?? []);
  if (shown.length === 0) return null;
  return (
    <Card
      title={
        stale
          ? "What is stale, and why"
          : running || report !== null
            ? "Why this build"
            : "Why the last build ran"
      }
    >
      <Causes causes={shown} />
    </Card>
  );
}

const MOST_CAUSES = 8;

function Causes({ causes }: { readonly causes: readonly CauseView[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? causes : causes.slice(0, MOST_CAUSES);
  return (
    <>
      <table class="causes">
        <thead class="hidden">
          <tr>
            <th scope="col">what changed</th>
            <th scope="col">before and after</th>
            <th scope="col">tasks</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((cause) => (
            <tr key={cause.text + cause.example}>
              <th scope="row">
                <span class={cause.what === "" ? "" : "mono"}>
                  {cause.what === "" ? cause.text : cause.what}
                </span>
                {cause.what !== "" && <span class="note block">{cause.kind}</span>}
              </th>
              <td class="mono">
                {cause.before !== null && <del>{cause.before}</del>}
                {(cause.before !== null || cause.after !== null) && <span class="note"> → </span>}
                {cause.after !== null && <ins>{cause.after}</ins>}
              </td>
              <td class="number">
                <a href={href("task", cause.example)}>{counted(cause.tasks, "task")}</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {causes.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          {counted(causes.length - shown.length, "more cause")}
        </button>
      )}
    </>
  );
}
