"""
Lists and uses CUDA's devices. It needs only the driver's library.

    cuda.py devices               prints the UUIDs of the visible devices as JSON
    cuda.py hold GIB FILE [GO]    takes so much memory of the first device, writes the memory that was free before (GiB)
                                  to FILE, and keeps the memory until the file GO exists
"""
import ctypes
import json
import os
import sys
import time
import uuid

cuda = ctypes.CDLL("libcuda.so.1")
NO_DEVICE = 100
GIB = 2**30


def call(name, *values, allowed=()):
    code = getattr(cuda, name)(*values)
    if code and code not in allowed:
        error = ctypes.c_char_p()
        cuda.cuGetErrorName(code, ctypes.byref(error))
        sys.exit(f"{name}: {(error.value or b'error').decode()} ({code})")
    return code


def devices():
    if call("cuInit", 0, allowed=[NO_DEVICE]):
        return []
    count = ctypes.c_int()
    call("cuDeviceGetCount", ctypes.byref(count))
    found = []
    for index in range(count.value):
        name = (ctypes.c_ubyte * 16)()
        call("cuDeviceGetUuid_v2", name, index)
        found.append(f"GPU-{uuid.UUID(bytes=bytes(name))}")
    return found


def hold(gib, file, go=None):
    context, memory = ctypes.c_void_p(), ctypes.c_uint64()
    call("cuInit", 0)
    call("cuDevicePrimaryCtxRetain", ctypes.byref(context), 0)
    call("cuCtxSetCurrent", context)
    free, total = ctypes.c_size_t(), ctypes.c_size_t()
    call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
    size = ctypes.c_size_t(int(float(gib) * GIB))
    call("cuMemAlloc_v2", ctypes.byref(memory), size)
    call("cuMemsetD8_v2", memory, ctypes.c_ubyte(1), size)
    call("cuCtxSynchronize")
    with open(f"{file}.part", "w") as out:
        out.write(str(free.value / GIB))
    os.rename(f"{file}.part", file)
    while go is not None and not os.path.exists(go):
        time.sleep(0.02)


if sys.argv[1] == "devices":
    print(json.dumps(devices()))
else:
    hold(*sys.argv[2:])
