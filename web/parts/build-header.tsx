/** Shows a build's state and request, who started it and when, one bar, and the time that is left. */
import { useEffect, useRef } from "preact/hooks";
import type { LiveBuild } from "../../src/ui/live-build.ts";
import { TASK_STATES, type BuildState } from "../../src/ui/messages.ts";
import { about, clock, count, duration } from "../model/format.ts";
import { buildState, heard, isRunning, live, now, project, dependOnLive } from "../model/store.ts";
import { Bar, Sign } from "./basics.tsx";
import type { State } from "../model/tasks.ts";

export function BuildHeader() {
  dependOnLive();
  const build = live.value;
  const view = project.value;
  return (
    <section class="card" aria-label="Build">
      {view?.error != null && <p class="problem">{view.error}</p>}
      {view?.notices.map((text) => (
        <p key={text} class="problem">
          {text}
        </p>
      ))}
      {build === null ? <NeverBuilt /> : <Head build={build} />}
      {isRunning.value && build !== null ? <BuildBar build={build} /> : <ProjectBar />}
      <Announcer build={build} />
    </section>
  );
}

const STATE_WORDS: { readonly [state in BuildState]: string } = {
  running: "building",
  ended: "ended",
  "cut short": "cut short",
  silent: "no sign of life",
};

function Head({ build }: { readonly build: LiveBuild }) {
  dependOnLive();
  const { head, progress, ended } = build;
  const state = buildState.value;
  const failed = build.failed.length > 0;
  const left = progress.secondsLeft();
  const word =
    state === "ended"
      ? ended?.error != null
        ? "ended by an error"
        : failed
          ? "failed"
          : "done"
      : STATE_WORDS[state];
  const kind =
    state === "running"
      ? "running"
      : state === "ended" && !failed && ended?.error == null
        ? "fresh"
        : "failed";
  return (
    <div class="head">
      <span class={`badge ${kind}`}>
        <Sign state={kind} /> {word}
      </span>
      <b>build {head.build}</b>
      {head.targets.length > 0 && <code>{head.targets.join(" ")}</code>}
      {head.flags.length > 0 && <code>{head.flags.join(" ")}</code>}
      <span class="note">
        started {clock(head.at)}
        {head.user !== "" && ` by ${head.user}`}
        {head.host !== "" && ` on ${head.host}`}
        {ended !== null && `, took ${duration((ended.at - head.at) / 1000)}`}
      </span>
      {state === "silent" && (
        <span class="problem">
          no sign of life from {head.host} since {clock(heard.value)}
        </span>
      )}
      {ended?.error != null && <span class="problem">{ended.error}</span>}
      {state === "running" && left !== null && (
        <span class="left">
          <b>{about(left)}</b> left <span class="note">· done at about {clock(now.value + left * 1000)}</span>
        </span>
      )}
    </div>
  );
}

function NeverBuilt() {
  const builds = project.value?.builds ?? [];
  const [last] = builds;
  if (project.value === null) return <p>Looking at the project …</p>;
  if (last === undefined)
    return (
      <p>
        Nothing has been built here yet. <code>lq build</code> begins.
      </p>
    );
  return (
    <p>
      <b>build {last.build}</b>{" "}
      <span class="note">
        started {clock(last.started)}, took {duration(last.seconds)}
      </span>
    </p>
  );
}

function BuildBar({ build }: { readonly build: LiveBuild }) {
  dependOnLive();
  const sum = (of: "ran" | "restored" | "accepted" | "failed" | "fresh" | "skipped" | "cancelled"): number =>
    [...build.progress.rules.values()].reduce((total, { counts }) => total + counts[of], 0);
  const { total, done, running } = build.progress;
  const skipped = sum("skipped") + sum("cancelled");
  const all = Math.max(total, done + running.length);
  const waiting = all - done - running.length;
  return (
    <Counts
      total={all}
      done={done}
      parts={[
        ["fresh", sum("fresh"), "fresh"],
        ["ran", sum("ran") + sum("accepted"), "ran"],
        ["restored", sum("restored"), `restored from the cache${saved(build)}`],
        ["running", running.length, "running"],
        ["failed", sum("failed"), skipped > 0 ? `failed, ${count(skipped)} tasks cannot run` : "failed"],
        ["waiting", waiting, "waiting"],
      ]}
    />
  );
}

/** The time that the restored tasks took when they ran. */
function saved(build: LiveBuild): string {
  const view = project.value;
  if (view === null) return "";
  let seconds = 0;
  for (const [i, rest] of view.tasks.id.entries()) {
    const rule = view.rules[view.tasks.rule[i] ?? 0]?.name ?? "";
    if (build.runs.get(rest === "" ? rule : `${rule}:${rest}`)?.state === "restored")
      seconds += view.tasks.seconds[i] ?? 0;
  }
  return seconds < 1 ? "" : `, saved ${duration(seconds)}`;
}

function ProjectBar() {
  const view = project.value;
  if (view === null || view.tasks.id.length === 0) return null;
  const counts = TASK_STATES.map((state, place): readonly [State, number, string] => [
    state,
    view.tasks.state.reduce((sum, each) => sum + (each === place ? 1 : 0), 0) +
      view.rules.reduce((sum, { omitted }) => sum + (omitted?.states[place] ?? 0), 0),
    state,
  ]);
  const total = counts.reduce((sum, [, value]) => sum + value, 0);
  return <Counts parts={counts} total={total} done={counts[0]?.[1] ?? 0} />;
}

function Counts({ parts, total, done }: CountsProps) {
  return (
    <>
      <div
        role="progressbar"
        aria-label="Build progress"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={`${done} of ${total}`}
      >
        <Bar tall total={total} parts={parts.map(([kind, value]) => ({ kind, value }))} />
      </div>
      <ul class="counts">
        {parts.map(
          ([state, value, text]) =>
            value > 0 && (
              <li key={state}>
                <span class={`chip ${state}`}>
                  <Sign state={state} />
                </span>
                <b>{count(value)}</b> {text}
              </li>
            ),
        )}
        <li class="total">
          <b>{count(done)}</b> of {count(total)}
        </li>
      </ul>
    </>
  );
}

interface CountsProps {
  readonly parts: readonly (readonly [State, number, string])[];
  readonly total: number;
  readonly done: number;
}

/** Tells screen readers only that a task failed and that the build has ended. */
function Announcer({ build }: { readonly build: LiveBuild | null }) {
  dependOnLive();
  const seen = useRef<{ build: number; failed: number; state: BuildState }>({
    build: 0,
    failed: 0,
    state: "ended",
  });
  const region = useRef<HTMLParagraphElement>(null);
  const failed = build?.failed.length ?? 0;
  const state = buildState.value;
  useEffect(() => {
    const before = seen.current;
    const same = before.build === (build?.head.build ?? 0);
    seen.current = { build: build?.head.build ?? 0, failed, state };
    if (!same || region.current === null) return;
    if (failed > before.failed)
      region.current.textContent = `${build?.failed.at(-1)?.task ?? "a task"} failed`;
    else if (before.state === "running" && state !== "running")
      region.current.textContent = `the build has ${STATE_WORDS[state]}`;
  });
  return <p class="hidden" role="status" ref={region} />;
}
