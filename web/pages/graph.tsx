/** The page of the graph: rules and what they read from, or the tasks around one task. */
import { useMemo } from "preact/hooks";
import type { BuildView } from "../../src/ui/answers/build.ts";
import type { NeighbourhoodView } from "../../src/ui/messages.ts";
import { count, duration } from "../model/format.ts";
import { href } from "../model/route.ts";
import { ruleRows } from "../model/rules.ts";
import { project } from "../model/store.ts";
import { ruleOf } from "../model/tasks.ts";
import { Card, TaskLink, useAnswer } from "../parts/basics.tsx";
import { GraphChart, type ChartEdge, type ChartNode } from "../parts/graph-chart.tsx";

export function GraphPage({ task }: { readonly task: string }) {
  return (
    <>
      <h1 class="hidden">Graph</h1>
      {task === "" ? <RuleGraph /> : <Neighbourhood task={task} />}
    </>
  );
}

function RuleGraph() {
  const view = project.value;
  const rows = ruleRows.value;
  const newest = view?.builds[0]?.build;
  const built = useAnswer<BuildView>(newest === undefined ? null : `build?number=${newest}`, view?.at);
  const critical = useMemo(
    () => new Set((built.data?.criticalPath ?? []).map((task) => ruleOf(task))),
    [built.data],
  );
  const shown = (view?.rules ?? []).flatMap(({ name, from }, place) => {
    const row = rows.find((each) => each.name === name);
    return row === undefined ? [] : [{ row, from, place }];
  });
  const at = new Map(shown.map(({ place }, i) => [place, i]));
  const nodes = shown.map(({ row }): ChartNode => {
    const { name, done, total, each, sign, parts } = row;
    const note = `${count(done)} of ${count(total)}${each === null ? "" : `, ${duration(each)} each`}`;
    const outlined = critical.has(name);
    return { label: name, note, href: href("tasks", "", { rule: name }), state: sign, parts, outlined };
  });
  const edges = shown.flatMap(({ from, place }, to) =>
    from.flatMap((maker): ChartEdge[] => {
      const own = at.get(maker);
      return own === undefined || maker === place ? [] : [[own, to]];
    }),
  );
  if (view === null) return <p>…</p>;
  return (
    <Card title="Rules" note={critical.size > 0 ? "outlined: on the critical path of the last build" : ""}>
      <GraphChart nodes={nodes} edges={edges} label="Graph of the rules" />
      <EdgeTable nodes={nodes} edges={edges} what="rule" />
    </Card>
  );
}

function Neighbourhood({ task }: { readonly task: string }) {
  const { data, error } = useAnswer<NeighbourhoodView>(
    `neighbours?id=${encodeURIComponent(task)}`,
    project.value?.at,
  );
  const nodes = useMemo(() => (data?.nodes ?? []).map(nodeOf), [data]);
  return (
    <Card title="Around this task" note="two steps each way">
      <p>
        <TaskLink id={task} />
      </p>
      {error !== null && <p class="problem">{error}</p>}
      {data !== null && (
        <>
          <GraphChart nodes={nodes} edges={data.edges} label="Graph of the tasks around this task" />
          <EdgeTable nodes={nodes} edges={data.edges} what="task" />
        </>
      )}
    </Card>
  );
}

function nodeOf({ id, rule, state, more }: NeighbourhoodView["nodes"][number], i: number): ChartNode {
  if (more === 0)
    return { label: id, note: state ?? "", href: href("task", id), state, parts: [], outlined: i === 0 };
  const label = `and ${count(more)} more`;
  const target = href("tasks", "", { rule });
  return { label, note: `of ${rule}`, href: target, state: null, parts: [], outlined: false };
}

/** The same graph for screen readers and for those who prefer a list. */
function EdgeTable({ nodes, edges, what }: EdgeTableProps) {
  return (
    <details>
      <summary>The same as a list</summary>
      <table aria-label="The graph as a list">
        <thead>
          <tr>
            <th scope="col">{what}</th>
            <th scope="col">state</th>
            <th scope="col">reads from</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map(({ label, note, href: target, state }, i) => (
            <tr key={i}>
              <th scope="row">
                <a href={target}>{label}</a>
              </th>
              <td>
                {[state ?? "", note].filter((text, k, all) => text !== "" && text !== all[k - 1]).join(", ")}
              </td>
              <td>
                {edges.flatMap(([from, to]) => (to === i ? [nodes[from]?.label ?? ""] : [])).join(", ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

interface EdgeTableProps {
  readonly nodes: readonly ChartNode[];
  readonly edges: readonly ChartEdge[];
  readonly what: string;
}
