"""Writes a model folder of nnU-Net v2 with random weights for bench/inference.ts: a PlainConvUNet with nnU-Net's usual
six levels and widths, and TotalSegmentator's spacing and intensities. Reads JSON from its first argument."""

import json
import pathlib
import sys

import torch

settings = json.loads(sys.argv[1])
folder = pathlib.Path(settings["folder"])
patch, heads, seed = settings["patch"], settings["heads"], settings["seed"]
widths = [min(32 * 2**level, 320) for level in range(6)]
kernels = [[3, 3, 3]] * 6
strides = [[1, 1, 1], *([[2, 2, 2]] * 5)]
generator = torch.Generator().manual_seed(seed)
weights = {}


def layer(name, shape, gain=1.0, fan_in=None):
    fan_in = fan_in or torch.Size(shape[1:]).numel()
    weights[f"{name}.weight"] = torch.randn(shape, generator=generator) * gain * (2 / fan_in) ** 0.5
    weights[f"{name}.bias"] = torch.randn(shape[0], generator=generator) * 0.1


def block(prefix, channels, width, kernel):
    for i in range(2):
        layer(f"{prefix}.convs.{i}.conv", [width, channels if i == 0 else width, *kernel])
        weights[f"{prefix}.convs.{i}.norm.weight"] = torch.rand(width, generator=generator) + 0.5
        weights[f"{prefix}.convs.{i}.norm.bias"] = torch.randn(width, generator=generator) * 0.1


for level, width in enumerate(widths):
    block(f"encoder.stages.{level}.0", widths[level - 1] if level else 1, width, kernels[level])
for step in range(5):
    below, width = widths[5 - step], widths[4 - step]
    name = f"decoder.transpconvs.{step}"
    shape = [below, width, *strides[5 - step]]
    weights[f"{name}.weight"] = torch.randn(shape, generator=generator) * below**-0.5
    weights[f"{name}.bias"] = torch.randn(width, generator=generator) * 0.1
    block(f"decoder.stages.{step}", 2 * width, width, kernels[4 - step])
    layer(f"decoder.seg_layers.{step}", [heads, width, 1, 1, 1])

configuration = {
    "patch_size": patch,
    "spacing": settings["spacing"],
    "normalization_schemes": ["CTNormalization"],
    "use_mask_for_norm": [False],
    "UNet_class_name": "PlainConvUNet",
    "UNet_base_num_features": 32,
    "unet_max_num_features": 320,
    "n_conv_per_stage_encoder": [2] * 6,
    "n_conv_per_stage_decoder": [2] * 5,
    "pool_op_kernel_sizes": strides,
    "conv_kernel_sizes": kernels,
}
for kind, order in [("data", 3), ("probabilities", 1)]:
    configuration[f"resampling_fn_{kind}"] = "resample_data_or_seg_to_shape"
    configuration[f"resampling_fn_{kind}_kwargs"] = {"order": order, "order_z": 0, "force_separate_z": None}
plans = {
    "dataset_name": "Dataset000_Random",
    "image_reader_writer": "NibabelIO",
    "transpose_forward": [0, 1, 2],
    "configurations": {"3d_fullres": configuration},
    "foreground_intensity_properties_per_channel": {
        "0": {"mean": 0.0, "std": 300.0, "percentile_00_5": -1000.0, "percentile_99_5": 1000.0}
    },
}
labels = {"background": 0, **{f"label_{i}": i for i in range(1, heads)}}
dataset = {"channel_names": {"0": "CT"}, "labels": labels, "file_ending": ".nii.gz"}
checkpoint = {
    "network_weights": weights,
    "init_args": {"configuration": "3d_fullres"},
    "inference_allowed_mirroring_axes": settings["mirrorAxes"],
}
(folder / "fold_0").mkdir(parents=True)
(folder / "plans.json").write_text(json.dumps(plans))
(folder / "dataset.json").write_text(json.dumps(dataset))
torch.save(checkpoint, folder / "fold_0/checkpoint_final.pth")
print("true")
