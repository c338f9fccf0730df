/** Pipelines that are right, in all the forms that the format has. */
const params = `
sources: { btcv: { root: phantoms/btcv }, word: { root: phantoms/word } }
datasets: { btcv: { labels: { liver: 1 } }, word: { labels: { liver: 2, colon: 3 } } }
generators:
  stu-s: { kind: foundation, window: 8 }
  nnunet: { kind: in-domain, window: [1, 2] }
  totalseg: { kind: foundation, window: 16 }
training: { finetune: { epochs: 2 } }
`;

/** The example of the design document, word for word where it counts. */
const design = `
version: 1
params: params.yaml
axes:
  dataset: { keys: datasets }
  foundation: [totalseg, stu-s]
  version: [base, nnunet, totalseg, stu-s]
  target: [segthor, flare]
default: [tables/quality.md, tables/segthor.md, tables/flare.md, figures/in-domain.svg]

rules:
  predict:
    each: { dataset: dataset, generator: foundation, case: { in: "cases/\${dataset}.json", at: "cases[*].id" } }
    run: tasks/predict.ts
    in:
      image: "data/\${dataset}/images/\${case}.nii.gz"
      model: "models/\${generator}.onnx"
    with:
      window: "\${generators[generator].window}"
      labels: "\${datasets[dataset].labels}"
    out: "pseudo/\${dataset}/\${generator}/\${case}.nii.gz"
    slots: { gpu: optional }

  finetune:
    each: { target: target, dataset: dataset, version: version }
    run: tasks/train.ts
    in:
      start: "checkpoints/\${dataset}/\${version}.safetensors"
      images: "data/\${target}/images/"
      split: "splits/\${target}.json"
    with: { training: "\${training.finetune}" }
    out: "checkpoints/\${target}/\${dataset}/\${version}.safetensors"
    resume: true
    slots: { gpu: 1, cpu: 4 }
`;

/** Every key, in its less usual forms. */
const everything = `
version: 1
params: params.yaml
axes:
  dataset: { keys: datasets }
  version: [base, { keys: generators }, 7]
  label: { keys: "datasets[dataset].labels" }
default: all
rules:
  one:
    each: [dataset, version]
    when: "\${version} != base"
    cmd: |
      echo "$\${HOME}" $(basename \${in.a}) # don't
      cat \${in} > \${out.x}; cp \${out.x} \${out.y}; touch \${scratch}/x
    in: { a: a.txt, b: { path: [b.txt, c.txt], hint: "see \${dataset}" }, c: { names: src/ } }
    out: { x: "x/\${dataset}/\${version}", y: "y/\${dataset}/\${version}" }
    env: { LANG: C, HOME: null, N: 3 }
    tools: [bash --version]
    slots: { cpu: 2, memory: 1.5GiB, gpu: { count: 2, memory: 10GiB, type: h100, optional: true }, licence: 1 }
    resume: true
    retries: 2
    timeout: 2h
  two:
    each: { dataset: dataset, label: label, file: { glob: "src/*.txt" }, fold: [0, 1] }
    cmd: [cp, "\${in}", "\${out}"]
    in: "src/\${file}.txt"
    out: ["two/\${dataset}/\${label}/\${file}/\${fold}"]
    with: { deep: { list: [1, "\${fold}", "\${training}"], text: "n=\${training.finetune.epochs}" }, none: null }
    env: [LANG]
    slots: { gpu: 0 }
    timeout: 90
  all:
    cmd: ls \${in} > \${out}
    in: [x/, two/]
    out: all
`;

export const VALID: { readonly [name: string]: { readonly [path: string]: string } } = {
  design: { "pipeline.yaml": design, "params.yaml": params },
  everything: {
    "pipeline.yaml": everything,
    "params.yaml": params,
    "a.txt": "a",
    "b.txt": "b",
    "c.txt": "c",
    "src/p.txt": "p",
    "src/q.txt": "q",
  },
};
