"""Writes one volume as NRRD and MetaImage in every way that lq reads, and says where its voxels are.

Usage: write_volumes.py FOLDER. Prints JSON: {"files": [{"file", "type", "values", "affine"}]}; values with x fastest,
the affine row-major, from voxel indices to RAS millimetres.
"""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

SIZE = (5, 4, 3)  # x, y, z
SPACING = np.array([0.7, 0.8, 2.5])
# Directions of x, y and z (columns) in LPS: a turn about z by 30 degrees, then z is reversed.
TURN = np.array([[0.8660254037844387, -0.5, 0.0], [0.5, 0.8660254037844387, 0.0], [0.0, 0.0, 1.0]])
DIRECTIONS = TURN @ np.diag([1.0, 1.0, -1.0])
ORIGIN = np.array([12.5, -30.25, 100.0])
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])

TYPES: dict[str, tuple[str, str]] = {  # numpy, NRRD, MetaImage
    "int8": ("signed char", "MET_CHAR"),
    "uint8": ("unsigned char", "MET_UCHAR"),
    "int16": ("short", "MET_SHORT"),
    "uint16": ("ushort", "MET_USHORT"),
    "int32": ("int", "MET_INT"),
    "uint32": ("uint32_t", "MET_UINT"),
    "int64": ("int64", "MET_LONG_LONG"),
    "uint64": ("unsigned long long int", "MET_ULONG_LONG"),
    "float32": ("float", "MET_FLOAT"),
    "float64": ("double", "MET_DOUBLE"),
}


def voxels(dtype: str) -> np.ndarray[Any, Any]:
    """Array with axes z, y, x: no two voxels are equal; the greatest needs all bytes up to 32 bits."""
    count = int(np.prod(SIZE))
    info = np.iinfo(dtype) if np.issubdtype(np.dtype(dtype), np.integer) else None
    if info is None:
        values = np.arange(count) * 1.25 - 30
    else:
        least, greatest = max(info.min, -(2**31)), min(info.max, 2**32 - 1)
        values = least + (np.arange(count) * ((greatest - least) // (count - 1))).astype(object)
    return np.array(values, dtype=dtype).reshape(SIZE[::-1])


def affine(directions: np.ndarray[Any, Any], origin: np.ndarray[Any, Any]) -> list[float]:
    matrix = np.eye(4)
    matrix[:3, :3] = LPS_TO_RAS @ directions @ np.diag(SPACING)
    matrix[:3, 3] = LPS_TO_RAS @ origin
    return [float(value) for value in matrix.ravel()]


class Writer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[dict[str, Any]] = []

    def note(self, name: str, data: np.ndarray[Any, Any], where: list[float]) -> None:
        values = [float(value) for value in data.ravel()]
        self.files.append({"file": name, "type": data.dtype.name, "values": values, "affine": where})

    def nrrd(
        self,
        name: str,
        dtype: str = "int16",
        *,
        big: bool = False,
        encoding: str = "raw",
        space: str = "left-posterior-superior",
        data_file: str | None = None,
        skip: int = 0,
        ending: str = "\n",
    ) -> None:
        data = voxels(dtype)
        to_space = {
            "left-posterior-superior": np.eye(3),
            "RAS": LPS_TO_RAS,
            "LAS": np.diag([1.0, -1.0, 1.0]),
        }[space]
        steps = (to_space @ DIRECTIONS @ np.diag(SPACING)).T
        vectors = " ".join("(" + ",".join(repr(float(v)) for v in step) + ")" for step in steps)
        origin = ",".join(repr(float(v)) for v in to_space @ ORIGIN)
        lines = [
            "NRRD0004",
            "# a comment: with a colon",
            f"type: {TYPES[dtype][0]}",
            "dimension: 3",
            f"space: {space}",
            f"sizes: {SIZE[0]} {SIZE[1]} {SIZE[2]}",
            f"space directions: {vectors}",
            "kinds: domain domain domain",
            f"endian: {'big' if big else 'little'}",
            f"encoding: {encoding}",
            f"space origin: ({origin})",
            "Segment0_Name:=liver: all",
        ]
        if data_file is not None:
            lines.append(f"data file: {data_file}")
        if skip != 0:
            lines.append(f"byte skip: {skip}")
        raw = data.astype(data.dtype.newbyteorder(">" if big else "<")).tobytes()
        if encoding == "gzip":
            raw = gzip.compress(raw)
        raw = b"\xff" * (skip if skip > 0 else 7 if skip < 0 else 0) + raw
        header = ending.join([*lines, "", ""]).encode()
        if data_file is None:
            (self.folder / name).write_bytes(header + raw)
        else:
            (self.folder / name).write_bytes(header)
            (self.folder / data_file).write_bytes(raw)
        self.note(name, data, affine(DIRECTIONS, ORIGIN))

    def meta(
        self,
        name: str,
        dtype: str = "int16",
        *,
        big: bool = False,
        compressed: bool = False,
        data_file: str = "LOCAL",
        skip: int = 0,
    ) -> None:
        data = voxels(dtype)
        raw = data.astype(data.dtype.newbyteorder(">" if big else "<")).tobytes()
        if compressed:
            raw = zlib.compress(raw)
        lines = [
            "ObjectType = Image",
            "NDims = 3",
            "BinaryData = True",
            f"BinaryDataByteOrderMSB = {big}",
            f"CompressedData = {compressed}",
            # ITK writes the directions of x, y and z one after another.
            "TransformMatrix = " + " ".join(repr(float(value)) for value in DIRECTIONS.T.ravel()),
            "Offset = " + " ".join(repr(float(value)) for value in ORIGIN),
            "CenterOfRotation = 0 0 0",
            "AnatomicalOrientation = RAI",
            "ElementSpacing = " + " ".join(repr(float(value)) for value in SPACING),
            f"DimSize = {SIZE[0]} {SIZE[1]} {SIZE[2]}",
            f"ElementType = {TYPES[dtype][1]}",
        ]
        if skip != 0:
            lines.append(f"HeaderSize = {skip}")
        lines.append(f"ElementDataFile = {data_file}")
        raw = b"\xff" * (skip if skip > 0 else 7 if skip < 0 else 0) + raw
        header = ("\n".join(lines) + "\n").encode()
        if data_file == "LOCAL":
            (self.folder / name).write_bytes(header + raw)
        else:
            (self.folder / name).write_bytes(header)
            (self.folder / data_file).write_bytes(raw)
        self.note(name, data, affine(DIRECTIONS, ORIGIN))


def main(folder: Path) -> None:
    writer = Writer(folder)
    for dtype in TYPES:
        for big in (False, True):
            order = "big" if big else "little"
            writer.nrrd(f"{dtype}-{order}.nrrd", dtype, big=big)
            writer.meta(f"{dtype}-{order}.mha", dtype, big=big)
    writer.nrrd("gzip.nrrd", "float32", encoding="gzip")
    writer.nrrd("gzip-big.nrrd", "int32", encoding="gzip", big=True)
    writer.nrrd("ras.nrrd", space="RAS")
    writer.nrrd("las.nrrd", space="LAS")
    writer.nrrd("windows.nrrd", ending="\r\n")
    writer.nrrd("beside.nhdr", data_file="beside.raw")
    writer.nrrd("beside-gzip.nhdr", encoding="gzip", data_file="beside-gzip.raw.gz")
    writer.nrrd("skip.nhdr", data_file="skip.raw", skip=11)
    writer.nrrd("last.nhdr", data_file="last.raw", skip=-1)
    writer.meta("zlib.mha", "float32", compressed=True)
    writer.meta("zlib-big.mha", "int32", compressed=True, big=True)
    writer.meta("beside-meta.mhd", data_file="beside-meta.raw")
    writer.meta("beside-zlib.mhd", "uint16", compressed=True, data_file="beside-zlib.zraw")
    writer.meta("skip-meta.mhd", data_file="skip-meta.raw", skip=11)
    writer.meta("last-meta.mhd", data_file="last-meta.raw", skip=-1)
    print(json.dumps({"files": writer.files}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
