import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { datasetJsonLabels } from "../../tasks/study/datasets/dataset-json.ts";
import {
  classNames,
  commonLabels,
  datasetNames,
  ignoredValue,
  labelTable,
  organNames,
  remapper,
  sourceIds,
  valuesByName,
  type ClassList,
} from "../../tasks/study/labels/labels.ts";
import { readLabels } from "../../tasks/study/volume/nifti.ts";
import { shared } from "../helpers/shared.ts";

interface Maps {
  vocabulary: Record<string, unknown>;
  sources: Record<string, Record<string, { names: string[]; ids: number[] }>>;
  datasets: Record<string, { labels: Record<string, Row>; common_labels: number[] }>;
  totalsegmentator_v1_classes: Record<string, string>;
  totalsegmentator_v2_classes: Record<string, string>;
  stunet_classes: Record<string, string>;
}
interface Row {
  organ: string | null;
  stunet_ids?: number[];
  ts_v1_ids?: number[];
  ts_v2_ids?: number[];
}

const families = { stunet: "stunet", ts_v1: "totalsegmentator-v1", ts_v2: "totalsegmentator-v2" } as const;
const everyone = ["all", "totalsegmentator-v2", "stunet"] as const;

describe("label tables", () => {
  it("lose only AMOS's prostate/uterus and WORD's rectum to organs that a generator cannot predict", () => {
    const dropped = (name: string): string[] => {
      const table = labelTable(name);
      const common = commonLabels(table, everyone);
      return [...table].filter(([value]) => !common.includes(value)).map(([, { organ }]) => organ);
    };
    expect(dropped("amos")).toEqual(["prostate_or_uterus"]);
    expect(dropped("word")).toEqual(["rectum"]);
    for (const name of ["btcv", "ct1k", "abdomenatlas", "segthor", "flare22", "flare21"]) {
      expect(dropped(name)).toEqual([]);
    }
    expect(commonLabels(labelTable("amos"), ["all", "totalsegmentator-v2"])).toHaveLength(15);
  });

  it("have the organ counts of the paper", () => {
    const sizes = ["btcv", "word", "amos", "ct1k", "abdomenatlas", "segthor", "flare22", "flare21"].map(
      (name) => labelTable(name).size,
    );
    expect(sizes).toEqual([13, 16, 15, 4, 9, 4, 13, 4]);
  });

  it("can be a user's own, in the study's vocabulary", () => {
    const own = labelTable({ 7: "liver", 300: "kidney" });
    const lookup = remapper(own, "stunet");
    expect([...lookup].flatMap((to, from) => (to > 0 ? [[classNames("stunet")[from], to]] : []))).toEqual([
      ["kidney_left", 300],
      ["kidney_right", 300],
      ["liver", 7],
    ]);
    expect(() => labelTable({ 1: "livre" })).toThrow('"livre" is not an organ');
    expect(() => labelTable({ x: "liver" })).toThrow('label value "x"');
    expect(() => labelTable("chaos")).toThrow('no label table for dataset "chaos"; known: btcv');
  });

  it("of own data find a class by its name where the vocabulary has no such organ; ignore is no label", () => {
    const text = JSON.stringify({
      labels: { background: "0", vertebrae_T12: "1", lesion: "2", ignore: "3" },
    });
    const own = datasetJsonLabels(text, "dataset.json");
    expect(valuesByName(own)).toEqual({ vertebrae_T12: 1, lesion: 2 });
    expect(ignoredValue(own)).toBe(3);
    expect(commonLabels(own, ["totalsegmentator-v2"])).toEqual([1]);
    expect(commonLabels(own, ["all"])).toEqual([1, 2]);
    const id = classNames("totalsegmentator-v2").indexOf("vertebrae_T12");
    expect(remapper(own, "totalsegmentator-v2")[id]).toBe(1);
  });

  it("count kidney cysts as kidney of the same side only if asked", () => {
    const cyst = classNames("totalsegmentator-v2").indexOf("kidney_cyst_left");
    expect(remapper(labelTable("btcv"), "totalsegmentator-v2")[cyst]).toBe(0);
    expect(remapper(labelTable("btcv"), "totalsegmentator-v2", { mergeCysts: true })[cyst]).toBe(3);
    expect(remapper(labelTable("segthor"), "totalsegmentator-v2", { mergeCysts: true })[cyst]).toBe(0);
  });
});

const mapFile = shared("reference/label-maps.yaml");
describe.skipIf(mapFile === null)("against the reference tables", () => {
  const maps = (mapFile === null ? {} : parse(readFileSync(mapFile, "utf8"))) as Maps;

  it("has the same class lists", () => {
    const lists: [ClassList, Record<string, string>][] = [
      ["totalsegmentator-v1", maps.totalsegmentator_v1_classes],
      ["totalsegmentator-v2", maps.totalsegmentator_v2_classes],
      ["stunet", maps.stunet_classes],
    ];
    expect(lists.map(([list]) => classNames(list).length)).toEqual([105, 118, 105]);
    for (const [list, expected] of lists)
      expect(Object.fromEntries(classNames(list).entries())).toEqual(expected);
  });

  it("has the same vocabulary and sources", () => {
    expect([...organNames].sort()).toEqual(Object.keys(maps.vocabulary).sort());
    for (const organ of organNames) {
      for (const [short, list] of Object.entries(families)) {
        expect(sourceIds(organ, list)).toEqual(maps.sources[organ]![short]!.ids);
      }
    }
  });

  it("maps every label of every dataset from the same ids", () => {
    expect([...datasetNames].sort()).toEqual(Object.keys(maps.datasets).sort());
    for (const name of datasetNames) {
      const { labels, common_labels } = maps.datasets[name]!;
      const table = labelTable(name);
      expect([...table].map(([value, { organ }]) => [String(value), organ])).toEqual(
        Object.entries(labels)
          .filter(([value]) => value !== "0")
          .map(([value, { organ }]) => [value, organ]),
      );
      expect(commonLabels(table, everyone)).toEqual(common_labels);
      for (const [list, key] of [
        ["stunet", "stunet_ids"],
        ["totalsegmentator-v1", "ts_v1_ids"],
        ["totalsegmentator-v2", "ts_v2_ids"],
      ] as const) {
        const lookup = remapper(table, list);
        for (const value of table.keys()) {
          const ids = [...lookup].flatMap((to, from) => (to === value ? [from] : []));
          expect(ids).toEqual([...labels[String(value)]![key]!].sort((a, b) => a - b));
        }
      }
    }
  });
});

const prediction = shared("data/totalsegmentator/abdomen3mm_seg_ts3mm.nii.gz");
const goldens = shared("reference/goldens.json");
describe.skipIf(prediction === null || goldens === null)("remapping a real prediction", () => {
  it("gives the reference voxel counts for every dataset", async () => {
    const { data } = await readLabels(prediction!);
    const expected = (
      JSON.parse(readFileSync(goldens!, "utf8")) as {
        remap_abdomen3mm_ts_v2_to_dataset_labels_voxel_counts: Record<string, Record<string, number>>;
      }
    ).remap_abdomen3mm_ts_v2_to_dataset_labels_voxel_counts;
    expect(Object.keys(expected).sort()).toEqual([...datasetNames].sort());
    for (const name of datasetNames) {
      const lookup = remapper(labelTable(name), "totalsegmentator-v2");
      const counts = Object.fromEntries(Object.keys(expected[name]!).map((value) => [value, 0]));
      for (const value of data) counts[lookup[value]!]!++;
      expect(counts).toEqual(expected[name]);
    }
  });
});
