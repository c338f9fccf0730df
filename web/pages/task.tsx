/** The page of one task: why it ran or would run, what it is made from, its files, log and runs. */
import { useEffect, useState } from "preact/hooks";
import type { ChainView, PathView, TaskView } from "../../src/ui/messages.ts";
import { bytes, clock, duration } from "../model/format.ts";
import { href } from "../model/route.ts";
import { isRunning, live, now, project, dependOnLive } from "../model/store.ts";
import { ruleOf, SIGNS, type State } from "../model/tasks.ts";
import { report } from "../model/source.ts";
import { Card, Command, FileLink, Sign, TaskLink, useAnswer } from "../parts/basics.tsx";
import { Log } from "../parts/log.tsx";
import { FilePreview } from "../parts/file-preview.tsx";

export function TaskPage({ id }: { readonly id: string }) {
  dependOnLive();
  const run = live.value?.runs.get(id);
  const running = isRunning.value && run?.ended === null;
  const { data, error } = useAnswer<TaskView>(
    `task?id=${encodeURIComponent(id)}`,
    `${run?.state ?? ""} ${project.value?.at ?? 0}`,
  );
  const state: State = isRunning.value && run !== undefined ? run.state : (data?.state ?? "waiting");
  return (
    <>
      <section class="card" aria-label="Task">
        <h1 class="mono">{id}</h1>
        <div class="head">
          <span class={`badge ${state}`}>
            <Sign state={state} /> {state}
          </span>
          {running && (
            <span class="note">
              for {duration(Math.max(0, (now.value - run.started) / 1000))}
              {run.devices.length > 0 && ` on GPU ${run.devices.join(", ")}`}
              {run.attempt > 1 && `, attempt ${run.attempt}`}
              {run.note !== "" && ` · ${run.note}`}
            </span>
          )}
          {data !== null && <span class="note">{data.slots}</span>}
          <a href={href("tasks", "", { rule: ruleOf(id) })}>all of {ruleOf(id)}</a>
          {report === null && <a href={href("graph", id)}>its graph</a>}
        </div>
        {error !== null && <p class="problem">{error}</p>}
        {data?.accepted != null && (
          <p class="problem">
            Its outputs were accepted by hand {clock(data.accepted.at)}; they were made with key{" "}
            <code>{data.accepted.key.slice(0, 12)}</code>.
          </p>
        )}
      </section>
      <div class="columns">
        <div class="side">
          <WhyItRan id={id} data={data} />
          <Log task={id} isRunning={running} />
          {data !== null && <Files data={data} />}
        </div>
        {data !== null && (
          <div class="side">
            <Made data={data} />
            <Runs data={data} />
            <Card title="To type">
              <Command text={`lq why ${quoted(id)}`} />
              <Command text={`lq log ${quoted(id)}`} />
              <Command text={`lq build -f ${quoted(id)}`} />
            </Card>
          </div>
        )}
      </div>
    </>
  );
}

function WhyItRan({ id, data }: { readonly id: string; readonly data: TaskView | null }) {
  const last = data?.runs[0];
  const isFresh = data?.state === "fresh";
  const error = live.value?.failed.find(({ task }) => task === id)?.error ?? last?.error ?? null;
  return (
    <Card title="Why it ran">
      {error !== null && !isFresh && <p class="problem">{error}</p>}
      {data === null ? (
        <p class="note">…</p>
      ) : (
        <>
          {!isFresh && data.state !== null && <p>{WOULD[data.state]}</p>}
          {data.chain.length === 0 && last === undefined && <p class="note">It has not run here yet.</p>}
          <Chain links={data.chain} />
        </>
      )}
    </Card>
  );
}

const WOULD = {
  fresh: "",
  stale: "It would run now:",
  missing: "It would run now:",
  restorable: "Its outputs would be restored from the cache:",
  pending: "Whether it runs depends on tasks before it:",
  failed: "Its last run failed:",
} as const;

function Chain({ links }: { readonly links: readonly ChainView[] }) {
  return (
    <ul class="chain">
      {links.map((link) => (
        <li key={link.task}>
          <Sign state={link.state in SIGNS ? (link.state as State) : "waiting"} /> <TaskLink id={link.task} />
          {link.more > 0 && <span class="note"> and {link.more} more of its rule</span>}
          {link.told && <span class="note"> (above)</span>}
          {link.reasons.map((reason) => (
            <p key={reason} class="reason">
              {reason}
            </p>
          ))}
          {link.from.length > 0 && <Chain links={link.from} />}
        </li>
      ))}
    </ul>
  );
}

function Files({ data }: { readonly data: TaskView }) {
  const [shown, setShown] = useState<string | null>(null);
  useEffect(() => setShown(null), [data.id]);
  return (
    <Card title="Files">
      <PathTable title="inputs" paths={data.inputs} other="made by" view={setShown} />
      <PathTable title="outputs" paths={data.outputs} other="read by" view={setShown} />
      {data.log !== null && (
        <p>
          log: <FileLink path={data.log.path} />
        </p>
      )}
      {shown !== null && <FilePreview path={shown} close={() => setShown(null)} />}
    </Card>
  );
}

function PathTable({ title, paths, other, view }: PathTableProps) {
  if (paths.length === 0) return null;
  return (
    <div class="scroll">
      <table class="paths">
        <thead>
          <tr>
            <th scope="col">{title}</th>
            <th scope="col" class="number">
              size
            </th>
            <th scope="col">sha256</th>
            <th scope="col">{other}</th>
          </tr>
        </thead>
        <tbody>
          {paths.map(({ path, role, size, digest, tasks, more, view: kind }) => (
            <tr key={`${role} ${path}`}>
              <th scope="row" class="mono">
                {path} <span class="note">{role}</span>{" "}
                {size !== null && canView(path, kind) && (
                  <button type="button" onClick={() => view(path)} aria-label={`View ${path}`}>
                    View
                  </button>
                )}
              </th>
              <td class="number">
                {size === null ? "not there" : path.endsWith("/") ? "folder" : bytes(size)}
              </td>
              <td class="mono note">{digest ?? ""}</td>
              <td>
                {tasks.map((task) => (
                  <div key={task}>
                    <TaskLink id={task} />
                  </div>
                ))}
                {more > 0 && <span class="note">and {more} more</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function canView(path: string, kind: PathView["view"]): boolean {
  return (
    !path.endsWith("/") && kind !== null && kind !== "volume" && (report === null || path in report.files)
  );
}

interface PathTableProps {
  readonly title: string;
  readonly paths: readonly PathView[];
  readonly other: string;
  readonly view: (path: string) => void;
}

function Made({ data }: { readonly data: TaskView }) {
  return (
    <Card title="Made with">
      <dl>
        {data.bindings.map(({ name, value }) => (
          <Entry key={`axis ${name}`} name={name} value={value} />
        ))}
        {data.params.map(({ name, value, origin }) => (
          <Entry
            key={`param ${name}`}
            name={origin ?? name}
            value={typeof value === "string" ? value : JSON.stringify(value)}
          />
        ))}
        {data.module !== null && <Entry name="module" value={data.module} />}
        {data.command !== null && <Entry name="command" value={data.command} />}
        {data.key !== null && <Entry name="key" value={data.key} />}
      </dl>
      {data.codeFiles.length > 0 && (
        <details>
          <summary>{data.codeFiles.length} files of code</summary>
          <ul class="plain mono">
            {data.codeFiles.map((file) => (
              <li key={file}>{file}</li>
            ))}
          </ul>
        </details>
      )}
    </Card>
  );
}

function Entry({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd class="mono">{value}</dd>
    </>
  );
}

function Runs({ data }: { readonly data: TaskView }) {
  if (data.runs.length === 0) return null;
  return (
    <Card title="Runs">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">build</th>
              <th scope="col">outcome</th>
              <th scope="col" class="number">
                took
              </th>
              <th scope="col">when</th>
              <th scope="col">because</th>
            </tr>
          </thead>
          <tbody>
            {data.runs.map(({ build, outcome, started, seconds, devices, reasons, error }) => (
              <tr key={`${build} ${started}`}>
                <th scope="row">{build}</th>
                <td>
                  {outcome}
                  {devices.length > 0 && <span class="note"> on GPU {devices.join(", ")}</span>}
                </td>
                <td class="number">{duration(seconds)}</td>
                <td>{clock(started)}</td>
                <td>{error ?? reasons.join("; ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

/** Quotes a text for a shell. */
function quoted(text: string): string {
  return /^[\w:./@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
