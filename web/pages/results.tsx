/** The page of tables and figures. It shows the runs and data that each cell comes from. */
import type {
  CellView,
  FigureView,
  ResultsView,
  StepView,
  TableView,
  TraceView,
} from "../../src/ui/messages.ts";
import { clock, duration } from "../model/format.ts";
import { href, route, setQuery } from "../model/route.ts";
import { project } from "../model/store.ts";
import { fileUrl, report } from "../model/source.ts";
import { Card, FileLink, Sign, TaskLink, useAnswer } from "../parts/basics.tsx";
import { TextOf } from "../parts/file-preview.tsx";

export function Results() {
  const { data, error } = useAnswer<ResultsView>("results", project.value?.at);
  const { query } = route.value;
  if (data === null) return <p>{error ?? "…"}</p>;
  const shown = query.get("show") ?? data.tables[0]?.path ?? data.figures[0]?.path ?? "";
  const table = data.tables.find(({ path }) => path === shown);
  const figure = data.figures.find(({ path }) => path === shown);
  const cell = cellIn(query);
  return (
    <>
      <h1 class="hidden">Results</h1>
      {data.synthetic && (
        <p class="synthetic">
          <b>Synthetic phantoms.</b> These numbers show that the study runs, not what the paper found.
        </p>
      )}
      <nav class="tabs" aria-label="Tables and figures">
        {[...data.tables, ...data.figures].map((each) => (
          <a
            key={each.path}
            href={href("results", "", { show: each.path })}
            aria-current={each.path === shown ? "true" : undefined}
          >
            {nameOf(each.path)}
          </a>
        ))}
      </nav>
      <div class="columns">
        {table !== undefined && <Table table={table} selected={cell} />}
        {figure !== undefined && <Figure figure={figure} />}
        {shown !== "" && <Trace target={shown} cell={cell} />}
      </div>
    </>
  );
}

function nameOf(path: string): string {
  return (path.split("/").at(-1) ?? path).replace(/\.\w+$/, "");
}

function State({ task, state }: { readonly task: string; readonly state: TableView["state"] }) {
  return (
    <span class="note">
      {state !== null && (
        <>
          <Sign state={state} /> {state} ·{" "}
        </>
      )}
      <TaskLink id={task} />
    </span>
  );
}

function Table({ table, selected }: { readonly table: TableView; readonly selected: readonly string[] }) {
  const { query } = route.value;
  const metric = query.get("metric") ?? table.metrics[0] ?? "";
  const withPaper = query.get("paper") === "1";
  const byPlace = new Map(
    table.cells
      .filter((cell) => cell.metric === metric)
      .map((cell) => [JSON.stringify([cell.row, cell.column]), cell]),
  );
  const hasPaper = table.cells.some(({ paper }) => paper !== null);
  return (
    <Card title={table.title}>
      <State task={table.task} state={table.state} />
      {table.cells.length === 0 ? (
        <TextOf path={table.path} />
      ) : (
        <>
          <form class="filters">
            {table.metrics.length > 1 && (
              <label>
                metric{" "}
                <select
                  value={metric}
                  onChange={({ currentTarget }) => setQuery({ metric: currentTarget.value })}
                >
                  {table.metrics.map((each) => (
                    <option key={each}>{each}</option>
                  ))}
                </select>
              </label>
            )}
            {hasPaper && (
              <label>
                <input
                  type="checkbox"
                  checked={withPaper}
                  onChange={({ currentTarget }) => setQuery({ paper: currentTarget.checked ? "1" : "" })}
                />{" "}
                the paper’s value
              </label>
            )}
          </form>
          <div class="scroll">
            <table class="cells" aria-label={table.title}>
              <thead>
                <tr>
                  <th scope="col">
                    <span class="hidden">row</span>
                  </th>
                  {table.columns.map((column) => (
                    <th key={column} scope="col">
                      {column}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {table.rows.map((row) => (
                  <tr key={row}>
                    <th scope="row">{row}</th>
                    {table.columns.map((column) => (
                      <td key={column}>
                        <Cell
                          cell={byPlace.get(JSON.stringify([row, column]))}
                          withPaper={withPaper}
                          selected={selected}
                          target={table.path}
                        />
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="note">
            Mean ± standard deviation, in percent. The digit is the quintile in its column: ① worst fifth … ⑤
            best fifth.
          </p>
        </>
      )}
      <p class="links">
        {table.downloads.map((path) => (
          <FileLink key={path} path={path} />
        ))}
      </p>
    </Card>
  );
}

/** The names of the chosen cell. The user may have typed the address, so it may be wrong. */
function cellIn(query: URLSearchParams): readonly string[] {
  try {
    const names: unknown = JSON.parse(query.get("cell") ?? "[]");
    return Array.isArray(names) ? names.map(String) : [];
  } catch {
    return [];
  }
}

const MARKS = ["①", "②", "③", "④", "⑤"];

function Cell({ cell, withPaper, selected, target }: CellProps) {
  if (cell === undefined) return null;
  const names = [cell.row, cell.column, ...(cell.metric === "" ? [] : [cell.metric])];
  const isSelected = JSON.stringify(selected) === JSON.stringify(names);
  const { quintile, mean, std, paper } = cell;
  const query = Object.fromEntries(route.value.query);
  return (
    <a
      class={`cell ${quintile === null ? "" : `q${quintile}`}`}
      href={href("results", "", { ...query, show: target, cell: JSON.stringify(names) })}
      aria-current={isSelected ? "true" : undefined}
    >
      {mean === null ? "✗" : <b>{percent(mean)}</b>}
      {std !== null && <small> ± {percent(std)}</small>}
      {quintile !== null && <small> {MARKS[quintile - 1]}</small>}
      {withPaper && paper !== null && <small class="block">paper {percent(paper)}</small>}
    </a>
  );
}

interface CellProps {
  readonly cell: CellView | undefined;
  readonly withPaper: boolean;
  readonly selected: readonly string[];
  readonly target: string;
}

function percent(fraction: number): string {
  return (100 * fraction).toFixed(1);
}

function Figure({ figure: { path, task, state } }: { readonly figure: FigureView }) {
  const url = fileUrl(path);
  return (
    <Card title={nameOf(path)}>
      <State task={task} state={state} />
      {url === null ? (
        <p class="note">{report?.files[path]?.omitted ?? "It is not there."}</p>
      ) : (
        <img
          class="figure"
          src={report === null ? `${url}?${project.value?.at ?? 0}` : url}
          alt={`figure ${path}`}
        />
      )}
      <p class="links">
        <FileLink path={path} />
      </p>
    </Card>
  );
}

function Trace({ target, cell }: { readonly target: string; readonly cell: readonly string[] }) {
  const names = cell.length > 0 ? { cell: JSON.stringify(cell) } : {};
  const query = new URLSearchParams({ target, ...names });
  const { data, error } = useAnswer<TraceView>(`trace?${query.toString()}`, project.value?.at);
  return (
    <Card title={cell.length > 0 ? cell.join(" · ") : "Where it comes from"} class="trace">
      {error !== null && <p class="note">{error}</p>}
      {data !== null && data.scores.length > 1 && <Scores scores={data.scores} />}
      <ol class="plain steps" tabIndex={0} aria-label="Steps down to the sources">
        {data?.steps
          .filter(({ seen }) => !seen)
          .map((step) => (
            <Step key={`${step.depth} ${step.task}`} step={step} />
          ))}
      </ol>
    </Card>
  );
}

function Scores({ scores }: { readonly scores: TraceView["scores"] }) {
  const [worst] = scores;
  const [low, high] = [worst?.score ?? 0, scores.at(-1)?.score ?? 1];
  const x = (score: number): number => 10 + (980 * (score - low)) / Math.max(1e-9, high - low);
  return (
    <>
      <p>
        Scores of {scores.length} cases, from {percent(low)} to {percent(high)}
      </p>
      <svg class="strip" viewBox="0 0 1000 24" role="img" aria-label="scores of the cases">
        <rect x="0" y="20" width="1000" height="1" class="axis" />
        {scores.map(({ case: id, score }, i) => (
          <circle key={id} cx={x(score)} cy="12" r="7" class={i === 0 ? "worst" : ""} />
        ))}
      </svg>
      <p class="note">
        worst: {worst?.case}, {percent(low)}
      </p>
    </>
  );
}

function Step({ step }: { readonly step: StepView }) {
  return (
    <li class={`step depth${Math.min(6, step.depth)}`}>
      <b>{step.rule}</b> {step.accepted && <span class="pill">accepted by hand</span>}
      <p class="note">
        <TaskLink id={step.task} />
        {step.more > 0 && ` and ${step.more} more`}
      </p>
      <p class="note">
        {step.finished === null
          ? "no run on record"
          : [
              ...(step.build === null ? [] : [`build ${step.build}`]),
              clock(step.finished),
              duration(step.seconds ?? 0),
              ...(step.devices.length === 0 ? [] : [`GPU ${step.devices.join(", ")}`]),
            ].join(" · ")}
      </p>
      {(step.params.length > 0 || step.sources.length > 0) && (
        <details>
          <summary>params, code and sources</summary>
          <dl>
            {step.code !== null && (
              <>
                <dt>code</dt>
                <dd class="mono">{step.code}</dd>
              </>
            )}
            {step.key !== null && (
              <>
                <dt>key</dt>
                <dd class="mono">{step.key}</dd>
              </>
            )}
            {step.params.map(({ name, values }) => (
              <>
                <dt>{name}</dt>
                <dd class="mono">{values.join(" or ")}</dd>
              </>
            ))}
            {step.sources.map(({ path, digest }) => (
              <>
                <dt>source</dt>
                <dd class="mono">
                  {path} <span class="note">{digest.slice(0, 12)}</span>
                </dd>
              </>
            ))}
          </dl>
        </details>
      )}
    </li>
  );
}
