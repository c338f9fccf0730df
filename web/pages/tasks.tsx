/** The page of all tasks. Filters by rule, state and text; sorts by the graph's order, time or duration. */
import { useMemo } from "preact/hooks";
import { count, counted, duration, clock } from "../model/format.ts";
import { route, setQuery } from "../model/route.ts";
import { project } from "../model/store.ts";
import { rows, type Row, type Rows, type State } from "../model/tasks.ts";
import { Sign, TaskLink } from "../parts/basics.tsx";
import { VirtualRows } from "../parts/virtual-list.tsx";

const SORTS = { graph: "order of the graph", seconds: "longest first", ended: "last ended first" } as const;
type Sort = keyof typeof SORTS;

export function Tasks() {
  const { query } = route.value;
  const [rule, state, text] = ["rule", "state", "q"].map((name) => query.get(name) ?? "") as [
    string,
    string,
    string,
  ];
  const sort = (query.get("sort") ?? "graph") as Sort;
  const all = rows.value;
  const found = useMemo(() => filtered(all, { rule, state, text, sort }), [all, rule, state, text, sort]);
  const rules = project.value?.rules.map(({ name }) => name) ?? [];
  const omitted = (project.value?.rules ?? [])
    .flatMap((each) => each.omitted?.states ?? [])
    .reduce((sum, value) => sum + value, 0);
  const states = useMemo(() => statesIn(all), [all]);
  return (
    <section class="card" aria-labelledby="tasks">
      <h1 id="tasks">
        Tasks{" "}
        <span class="note">
          {found.length === all.length
            ? count(all.length)
            : `${count(found.length)} of ${counted(all.length, "task")}`}
        </span>
      </h1>
      {omitted > 0 && (
        <p class="note">
          The report has the longest tasks and all that failed; it leaves out {counted(omitted, "other task")}
          . The overview counts them by rule.
        </p>
      )}
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          text{" "}
          <input
            type="search"
            value={text}
            onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
          />
        </label>
        <Choice name="rule" value={rule} options={rules} />
        <Choice name="state" value={state} options={states} />
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
        label="All tasks"
        length={found.length}
        columns={4}
        head={
          <>
            <th scope="col">state</th>
            <th scope="col">task</th>
            <th scope="col" class="number">
              took
            </th>
            <th scope="col" class="number">
              ended
            </th>
          </>
        }
        row={(i) => <TaskRow row={all.at(found[i] ?? 0)} />}
      />
    </section>
  );
}

function TaskRow({ row: { id, state, seconds, run } }: { readonly row: Row }) {
  return (
    <>
      <td>
        <Sign state={state} /> {state}
      </td>
      <th scope="row">
        <TaskLink id={id} />
      </th>
      <td class="number">{seconds === null ? "" : duration(seconds)}</td>
      <td class="number">{run?.ended == null ? "" : clock(run.ended)}</td>
    </>
  );
}

function Choice({
  name,
  value,
  options,
}: {
  readonly name: string;
  readonly value: string;
  readonly options: readonly string[];
}) {
  return (
    <label>
      {name}{" "}
      <select value={value} onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value })}>
        <option value="">all</option>
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Filter {
  readonly rule: string;
  readonly state: string;
  readonly text: string;
  readonly sort: Sort;
}

/** @returns indices in `all` */
function filtered(all: Rows, { rule, state, text, sort }: Filter): Uint32Array {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const places = new Uint32Array(all.length);
  const keys = sort === "graph" ? null : new Float64Array(all.length);
  let length = 0;
  for (let i = 0; i < all.length; i++) {
    const row = all.at(i);
    if ((rule !== "" && row.rule !== rule) || (state !== "" && row.state !== state)) continue;
    if (words.length > 0 && !words.every((word) => row.id.toLowerCase().includes(word))) continue;
    places[length++] = i;
    if (keys !== null) keys[i] = (sort === "seconds" ? row.seconds : row.run?.ended) ?? -1;
  }
  const found = places.subarray(0, length);
  return keys === null ? found : found.sort((a, b) => keys[b]! - keys[a]!);
}

function statesIn(all: Rows): readonly State[] {
  const states = new Set<State>();
  for (let i = 0; i < all.length; i++) states.add(all.at(i).state);
  return [...states].sort();
}
