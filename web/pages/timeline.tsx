/** The page that shows what ran when and on which device, as lanes and as a table, for any recorded build. */
import { useMemo } from "preact/hooks";
import type { BuildView } from "../../src/ui/answers/build.ts";
import { clock, counted, duration } from "../model/format.ts";
import { lanesOf, type Span } from "../model/lanes.ts";
import { route, setQuery } from "../model/route.ts";
import { isRunning, live, now, project, dependOnLive } from "../model/store.ts";
import { Card, Sign, TaskLink, useAnswer } from "../parts/basics.tsx";
import { LaneChart, type Range } from "../parts/lane-chart.tsx";
import { VirtualRows } from "../parts/virtual-list.tsx";

export function Timeline() {
  dependOnLive();
  const { query } = route.value;
  const builds = project.value?.builds ?? [];
  const running = isRunning.value ? live.value : null;
  const newest = running?.head.build ?? builds[0]?.build;
  const chosen = Number(query.get("build") ?? newest ?? NaN);
  const isLive = running?.head.build === chosen;
  const { data, error } = useAnswer<BuildView>(
    isLive || Number.isNaN(chosen) ? null : `build?number=${chosen}`,
    project.value?.at,
  );
  const build = isLive && running !== null ? running.data() : data?.build;
  const end = isLive && running !== null ? now.value - running.head.at : 0;
  const lanes = useMemo(() => (build === undefined ? null : lanesOf(build, end)), [build, end]);
  const path = data?.criticalPath ?? [];
  const critical = useMemo(() => new Set(path), [data]);
  const range = rangeOf(query, lanes?.end ?? 1);
  return (
    <>
      <Card
        title="Timeline"
        note={lanes === null ? "" : `${counted(lanes.spans.length, "run")} in ${duration(lanes.end / 1000)}`}
      >
        <h1 class="hidden">Timeline</h1>
        <p>
          <label>
            build{" "}
            <select
              value={String(chosen)}
              onChange={({ currentTarget }) => setQuery({ build: currentTarget.value, from: "", to: "" })}
            >
              {running !== null && <option value={running.head.build}>{running.head.build} (running)</option>}
              {builds
                .filter((each) => each.build !== running?.head.build)
                .map((each) => (
                  <option key={each.build} value={each.build}>
                    {each.build}, {clock(each.started)}, {duration(each.seconds)}
                  </option>
                ))}
            </select>
          </label>
        </p>
        {error !== null && <p class="problem">{error}</p>}
        {Number.isNaN(chosen) && <p class="note">Nothing has been built here yet.</p>}
        {lanes !== null && lanes.spans.length > 0 && (
          <>
            <LaneChart
              lanes={lanes}
              critical={critical}
              range={range}
              move={({ from, to }) =>
                setQuery({ build: String(chosen), from: from.toFixed(1), to: to.toFixed(1) })
              }
            />
            <ul class="counts">
              {(["ran", "restored", "failed", "running"] as const).map((state) => (
                <li key={state}>
                  <span class={`chip ${state}`}>
                    <Sign state={state} />
                  </span>
                  {state}
                </li>
              ))}
              {path.length > 0 && <li class="outlined">outlined: the critical path</li>}
            </ul>
          </>
        )}
        {path.length > 0 && (
          <details>
            <summary>
              The critical path: {counted(path.length, "task")}, each waited for the one before it
            </summary>
            <ol>
              {path.map((task) => (
                <li key={task}>
                  <TaskLink id={task} />
                </li>
              ))}
            </ol>
          </details>
        )}
      </Card>
      {lanes !== null && <SpanTable spans={lanes.spans} names={lanes.names} started={build?.head.at ?? 0} />}
    </>
  );
}

const SORTS = { start: "start", longest: "longest first", lane: "lane" } as const;

function SpanTable({
  spans,
  names,
  started,
}: {
  readonly spans: readonly Span[];
  readonly names: readonly string[];
  readonly started: number;
}) {
  const sort = route.value.query.get("sort") ?? "start";
  const sorted = useMemo(() => {
    if (sort === "longest") return [...spans].sort((a, b) => b.end - b.start - (a.end - a.start));
    return sort === "lane" ? spans : [...spans].sort((a, b) => a.start - b.start);
  }, [spans, sort]);
  return (
    <section class="card" aria-labelledby="runs">
      <h2 id="runs">Runs</h2>
      <form class="filters">
        <label>
          sort{" "}
          <select value={sort} onChange={({ currentTarget }) => setQuery({ sort: currentTarget.value })}>
            {Object.entries(SORTS).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </form>
      <VirtualRows
        label="Runs of this build"
        length={sorted.length}
        columns={5}
        head={
          <>
            <th scope="col">state</th>
            <th scope="col">task</th>
            <th scope="col">lane</th>
            <th scope="col" class="number">
              started
            </th>
            <th scope="col" class="number">
              took
            </th>
          </>
        }
        row={(i) => {
          const span = sorted[i];
          return span === undefined ? null : (
            <>
              <td>
                <Sign state={span.state} /> {span.state}
              </td>
              <th scope="row">
                <TaskLink id={span.task} />
              </th>
              <td>{names[span.lane]}</td>
              <td class="number">{clock(started + span.start)}</td>
              <td class="number">{duration((span.end - span.start) / 1000)}</td>
            </>
          );
        }}
      />
    </section>
  );
}

function rangeOf(query: URLSearchParams, end: number): Range {
  const [from, to] = [Number(query.get("from") ?? NaN), Number(query.get("to") ?? NaN)];
  return from >= 0 && to > from ? { from, to } : { from: 0, to: Math.max(1, end) };
}
