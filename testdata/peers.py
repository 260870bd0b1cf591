#!/usr/bin/env python3
"""What other programs make of broken checkpoints, beside ckpt: the tables of docs/reliability.md.

    python testdata/peers.py --ckpt target/release/ckpt [--each 60] [--only FORMAT] [--wrong FILE]

Needs TensorFlow, h5py, safetensors and NumPy. Fixtures of testdata/ are damaged in places that depend on nothing but
--each: one bit flipped, cut off, zeros over a run of bytes, the largest number in the place of another one. Every case is
read by the library of its format and by ckpt, each in a process of its own with a time limit and a limit of memory, all
values of all tensors, and compared with what the same program reads of the intact file.
"""

import argparse
import collections
import hashlib
import importlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Of the processor, so that a machine with other work to do hangs nothing; on the clock twelve times as many.
SECONDS = 10
MEMORY = 1 << 30
TOO_LONG = (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL)
OUTCOMES = ["crashed", "hung or out of memory", "other values, nothing said", "error", "right"]

# In this order, since a process that has loaded TensorFlow is slow to be copied. Format, who reads it, and its fixtures: what is opened, and the files that are damaged, one at a time.
SOURCES = {
    "HDF5": ("h5py", [
        ("keras/keras3/whole.h5", ""), ("hdf5/types/oldest.h5", ""), ("hdf5/types/newest.h5", ""),
        ("hdf5/chunks/newest.h5", ""),
    ]),
    "safetensors": ("safetensors", [
        ("safetensors/dtypes/model.safetensors", ""), ("convert/arrays.safetensors", ""),
    ]),
    "NumPy .npz": ("numpy", [("npz/saved/deflated.npz", ""), ("convert/arrays.npz", "")]),
    "NumPy .npy": ("numpy", [("npz/npy/weights.npy", "")]),
    "TensorFlow V2": ("tensorflow", [
        ("saver_v2/sharded_adam/model.ckpt-200", ".index", ".data-00000-of-00003", ".data-00001-of-00003"),
        ("object_graph/keras3/ckpt-1", ".index", ".data-00000-of-00001"),
        ("partitioned/merged/merged", ".index", ".data-00000-of-00003"),
    ]),
    "TensorFlow V1": ("tensorflow", [("saver_v1/single/model.ckpt-5", "")]),
}


def sources(format):
    for source in SOURCES[format][1]:
        path, *suffixes = source
        if (HERE / (path + suffixes[0])).exists():
            yield path, suffixes
        else:
            raise SystemExit(f"no such fixture: {path}{suffixes[0]}")


def spread(length, count):
    """Places over a file, the same for the same length; its beginning and its end are among them."""
    count = min(count, length)
    return sorted({(n * (length - 1)) // max(count - 1, 1) for n in range(count)})


def damages(data, each):
    for n, at in enumerate(spread(len(data), each)):
        yield f"bit {n % 8} of byte {at}", "flip", data[:at] + bytes([data[at] ^ 1 << n % 8]) + data[at + 1:]
    for at in spread(len(data), each // 2):
        yield f"cut at {at}", "cut", data[:at]
    for n, at in enumerate(spread(len(data), each // 2)):
        length = (16, 64, 512)[n % 3]
        yield f"zeros at {at}", "zeros", data[:at] + bytes(len(data[at:at + length])) + data[at + length:]
    # The largest numbers: in binary form anywhere, in text in the place of the numbers that stand there.
    for n, at in enumerate(spread(max(len(data) - 8, 1), each // 2)):
        number = ((1 << 63) - 1, (1 << 40), (1 << 32) - 1)[n % 3].to_bytes(8, "little")
        yield f"a large number at {at}", "large numbers", data[:at] + number + data[at + 8:]
    if data[:1] == b"\x93" or b'"dtype"' in data[:4096]:
        for match in list(re.finditer(rb"\d+", data[:4096]))[:each]:
            for number in (b"9" * 11, b"9" * 19, b"-1"):
                text = data[:match.start()] + number + data[match.end():]
                if data[:1] != b"\x93":
                    grown = len(number) - len(match.group())
                    text = (int.from_bytes(data[:8], "little") + grown).to_bytes(8, "little") + text[8:]
                yield f"{number.decode()} at {match.start()}", "large numbers", text


def mark(array):
    """An array as text that differs where it does."""
    import numpy
    if array.dtype.hasobject:
        held = [item if isinstance(item, bytes) else repr(item).encode() for item in array.ravel()]
        raw = b"".join(len(item).to_bytes(8, "little") + item for item in held)
    else:
        raw = numpy.ascontiguousarray(array).tobytes()
    return f"{array.dtype} {array.shape} {hashlib.sha256(raw).hexdigest()}"


def with_tensorflow(path):
    import numpy
    import tensorflow
    reader = tensorflow.train.load_checkpoint(str(path))
    for name in sorted(reader.get_variable_to_shape_map()):
        yield name, lambda name=name: mark(numpy.asarray(reader.get_tensor(name)))


def with_h5py(path):
    import h5py
    with h5py.File(path, "r") as file:
        names = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in sorted(names):
            yield name, lambda name=name: mark(file[name][()] if file[name].shape else __import__("numpy").asarray(file[name][()]))


def with_safetensors(path):
    import safetensors
    # What NumPy has no dtype for is left out, of the intact file as well.
    with safetensors.safe_open(path, framework="numpy") as file:
        for name in sorted(file.keys()):
            yield name, lambda name=name: mark(file.get_tensor(name))


def with_numpy(path):
    import numpy
    loaded = numpy.load(path, allow_pickle=False)
    if isinstance(loaded, numpy.ndarray):
        yield "", lambda: mark(loaded)
    else:
        for name in sorted(loaded.files):
            yield name, lambda name=name: mark(loaded[name])


READERS = {"tensorflow": with_tensorflow, "h5py": with_h5py, "safetensors": with_safetensors, "numpy": with_numpy}


def virtual_memory():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def read_by_peer(library, path, skip=frozenset()):
    """What a library says of a file, in a process of its own: values by name, or how it ended. What it cannot read of the
    intact file it is not asked for."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (virtual_memory() + MEMORY,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(12 * SECONDS)
        told = {"values": {}, "error": None}
        try:
            for name, value in READERS[library](path):
                if name in skip:
                    continue
                try:
                    told["values"][name] = value()
                except MemoryError:
                    raise
                except Exception as error:  # whatever it raises
                    told["error"] = f"{type(error).__name__}: {error}"
                    told["values"][name] = None
        except MemoryError:
            told = {"end": "memory"}
        except Exception as error:
            told["error"] = f"{type(error).__name__}: {error}"
        if "RESOURCE_EXHAUSTED" in str(told.get("error")) or "bad_alloc" in str(told.get("error")):
            told = {"end": "memory"}
        with os.fdopen(write_end, "w") as out:
            json.dump(told, out)
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as out:
        text = out.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return {"end": "time" if number in TOO_LONG else f"signal {number}"}
    return json.loads(text)


def run_ckpt(ckpt, arguments):
    """Standard output and status of ckpt under the same limits."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    command = [ckpt, *arguments, "--threads", "1"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=12 * SECONDS, preexec_fn=limits, check=False)
    except subprocess.TimeoutExpired:
        return b"", "time", b""
    if -done.returncode in TOO_LONG:
        return b"", "time", b""
    return done.stdout, done.returncode, done.stderr


def read_by_ckpt(ckpt, path):
    out, status, said = run_ckpt(ckpt, ["print", str(path), "**", "--format", "jsonl"])
    if status == "time" or status < 0:
        out_of_memory = b"memory allocation" in said
        return {"end": "time" if status == "time" else "memory" if out_of_memory else f"signal {-status}"}
    values, error = {}, None
    for line in out.decode(errors="replace").splitlines():
        try:
            row = json.loads(line)
            values[row["name"]] = line
        except ValueError:
            error = "cut off"
    if status != 0:
        error = said.decode(errors="replace") or f"status {status}"
    return {"values": values, "error": error}


def outcome(intact, found):
    """Which of the outcomes it is; the worst of a file's tensors counts."""
    if "end" in found:
        return OUTCOMES[0] if found["end"].startswith("signal") else OUTCOMES[1]
    values = {name: value for name, value in found["values"].items() if value is not None}
    other = [name for name, value in values.items() if intact["values"].get(name) != value]
    missing = set(intact["values"]) - set(found["values"])
    # Where an error is told, what is missing is told.
    if found["error"] is None and (other or missing):
        return OUTCOMES[2]
    return OUTCOMES[3] if found["error"] is not None else OUTCOMES[4]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ckpt", required=True, help="the command")
    parser.add_argument("--each", type=int, default=60, help="places of a file for a kind of damage")
    parser.add_argument("--only", help="one format")
    parser.add_argument("--wrong", help="where to write what was not an error and not right, one JSON a line")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    wrong = open(options.wrong, "w") if options.wrong else None
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    print("| format | program | files | " + " | ".join(OUTCOMES) + " | found by `validate` |")
    print("|---|---|" + "---:|" * 7)
    for format in SOURCES:
        if options.only not in (None, format):
            continue
        library = SOURCES[format][0]
        # Once, before any process is made of it.
        importlib.import_module("numpy")
        version = importlib.import_module(library).__version__
        peer, own = collections.Counter(), collections.Counter()
        validated = 0
        kinds = collections.defaultdict(collections.Counter)
        for source, suffixes in sources(format):
            folder = (HERE / source).parent
            base = pathlib.Path(source).name
            with tempfile.TemporaryDirectory(dir=memory) as scratch:
                files = [file for file in folder.iterdir() if file.is_file() and file.name.startswith(base)]
                for file in files:
                    shutil.copy(file, scratch)
                path = pathlib.Path(scratch) / base
                intact, intact_own = read_by_peer(library, path), read_by_ckpt(options.ckpt, path)
                skip = frozenset(name for name, value in intact["values"].items() if value is None)
                intact["values"] = {name: value for name, value in intact["values"].items() if value is not None}
                if intact_own["error"] or not intact["values"] or (intact["error"] and not skip):
                    raise SystemExit(f"{source}: the intact file is not read: {intact['error'] or intact_own['error']}")
                for suffix in suffixes:
                    target = pathlib.Path(scratch) / (base + suffix)
                    whole = target.read_bytes()
                    for where, kind, damaged in damages(whole, options.each):
                        if damaged == whole:
                            continue
                        target.write_bytes(damaged)
                        found, found_own = read_by_peer(library, path, skip), read_by_ckpt(options.ckpt, path)
                        a, b = outcome(intact, found), outcome(intact_own, found_own)
                        status = run_ckpt(options.ckpt, ["validate", str(path), "--format", "json"])[1]
                        validated += status in (1, 2)
                        peer[a] += 1
                        own[b] += 1
                        kinds[kind][a, b] += 1
                        if wrong and (a not in OUTCOMES[3:] or b not in OUTCOMES[3:] or status not in (0, 1, 2)):
                            row = {"file": source + suffix, "what": where, library: a, "end": found.get("end"), "ckpt": b,
                                   "ckpt_end": found_own.get("end"), "validate": status}
                            wrong.write(json.dumps(row) + "\n")
                            wrong.flush()
                    target.write_bytes(whole)
        total = sum(peer.values())
        row = lambda counts: " | ".join(str(counts[outcome]) for outcome in OUTCOMES)
        print(f"| {format} | {library} {version} | {total} | {row(peer)} | |")
        print(f"| | ckpt | {total} | {row(own)} | {validated} |", flush=True)


if __name__ == "__main__":
    main()
