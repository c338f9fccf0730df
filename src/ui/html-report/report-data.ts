/** Defines what the file of `lq report --html` contains beside the page itself. */
import type { Json } from "../../model/model.ts";
import type { BuildView } from "../answers/build.ts";
import type { BuildState, ProjectView, ResultsView, StepView, TaskView, TraceView } from "../messages.ts";

export interface ReportData {
  readonly project: ProjectView;
  readonly build: BuildView;
  readonly state: BuildState;
  readonly results: ResultsView;
  readonly settings: SettingsView;
  /** The tasks that failed in the build. */
  readonly tasks: readonly TaskView[];
  /** The logs of these tasks. */
  readonly logs: { readonly [task: string]: LogPart };
  /** Each step of a trace once, because traces share most of their steps. */
  readonly steps: readonly StepView[];
  readonly traces: readonly SharedTrace[];
  /** A sentence, if the report has no traces because it would be too large with them. */
  readonly omittedTraces: string | null;
  readonly files: { readonly [path: string]: ReportFile };
}

export interface LogPart {
  readonly text: string;
  /** Bytes of the text as it is here. */
  readonly size: number;
  readonly next: number;
}

/** `steps` has indices of `ReportData.steps`. */
export type SharedTrace = Omit<TraceView, "steps"> & { readonly steps: readonly number[] };

/** A picture as a `data:` address, the text of a file, or a sentence that says why it is not here. */
export interface ReportFile {
  readonly url?: string;
  readonly text?: string;
  readonly omitted?: string;
}

export interface SettingsView {
  /** Values of params.yaml with profiles and `--set`, by their paths. */
  readonly params: readonly { readonly name: string; readonly value: Json }[];
  /** The devices that the build used. Tasks without a device count as "CPU". */
  readonly devices: readonly { readonly name: string; readonly tasks: number; readonly seconds: number }[];
}
