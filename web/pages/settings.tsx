/** The page of a report that lists the params, and the devices that the build used. */
import type { SettingsView } from "../../src/ui/html-report/report-data.ts";
import { count, duration } from "../model/format.ts";
import { Card } from "../parts/basics.tsx";

export function Settings({ settings: { params, devices } }: { readonly settings: SettingsView }) {
  return (
    <>
      <h1 class="hidden">Settings</h1>
      <Card title="Devices" note="of this build">
        <div class="scroll">
          <table aria-label="Devices">
            <thead>
              <tr>
                <th scope="col">device</th>
                <th scope="col" class="number">
                  tasks
                </th>
                <th scope="col" class="number">
                  work
                </th>
              </tr>
            </thead>
            <tbody>
              {devices.map(({ name, tasks, seconds }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td class="number">{count(tasks)}</td>
                  <td class="number">{duration(seconds)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Card title="Params" note={count(params.length)}>
        <dl>
          {params.map(({ name, value }) => (
            <>
              <dt>{name}</dt>
              <dd class="mono">{typeof value === "string" ? value : JSON.stringify(value)}</dd>
            </>
          ))}
        </dl>
      </Card>
    </>
  );
}
