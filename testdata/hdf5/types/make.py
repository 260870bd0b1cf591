"""Data sets of every type that h5py writes and TensorFlow has, in the oldest and in the newest form of HDF5."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle, oracle_hdf5

import h5py
import ml_dtypes
import numpy as np

oracle.enter(__file__)

NAN, INF = float("nan"), float("inf")
FLOATS = [[-0.0, 1.5, NAN], [INF, -2, 0.25]]


def write(f):
    for name in ("float16", "float32", "float64"):
        f["float/" + name] = np.array(FLOATS, name)
        f["float/big_" + name] = np.array(FLOATS, np.dtype(name).newbyteorder(">"))
    for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        f["int/" + name] = np.array([np.iinfo(name).min, np.iinfo(name).max, 1], name)
        f["int/big_" + name] = np.array([np.iinfo(name).min, np.iinfo(name).max, 1], np.dtype(name).newbyteorder(">"))
    f["bool"] = np.array([[True], [False]])
    f["complex/complex64"] = np.array([1 + 2j, complex(NAN, -0.0)], np.complex64)
    f["complex/complex128"] = np.array([[1e300 - 2j]])
    f["complex/big"] = np.array([1 + 2j, 3 - 4j], ">c8")
    # What Keras 3 writes of numbers that h5py has no name for.
    f["bfloat16"] = np.array([1.5, -2, 3e38], ml_dtypes.bfloat16)
    f["bfloat16"].attrs["dtype"] = "bfloat16"
    f["scalar"] = np.float32(3.5)
    f["empty"] = np.zeros([3, 0, 2], np.float32)
    f["text/lists"] = ["a", "", "héllo", "long " * 40]
    f["text/fixed"] = np.array([[b"ab", b"abcdef"], [b"", b"x\0y"]])
    f["text/one"] = "日本"
    f.create_dataset("unwritten/sevens", shape=(2, 3), dtype=np.float32, fillvalue=7)
    f.create_dataset("unwritten/zeros", shape=(2, 3), dtype=np.int16)
    f["named_type"] = np.dtype(np.float32)
    f.create_dataset("of_named_type", data=np.arange(3, dtype=np.float32), dtype=f["named_type"])
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((2, 3))
    for name, kind in ((b"compact", h5py.h5t.STD_I32LE), (b"compact_big", h5py.h5t.STD_I32BE)):
        h5py.h5d.create(f.id, name, kind, space, compact)
        f[name][...] = np.arange(6).reshape(2, 3)
    # More members and attributes than fit an object header in the newest form.
    many = f.create_group("many")
    for n in range(40):
        many[f"member {n:02}"] = np.uint8(n)
        many.attrs[f"attribute {n:02}"] = "x" * n
    f.create_group("nobody")


forms = {"oldest.h5": "earliest", "newest.h5": "latest"}
for path, libver in forms.items():
    with h5py.File(path, "w", libver=libver) as f:
        write(f)
with h5py.File("user_block.h5", "w", userblock_size=1024) as f:
    f["x"] = np.arange(5, dtype=np.float32)
    f["text"] = ["a", "bc"]
documents = [{"prefix": path, "tensors": oracle_hdf5.entries(path)} for path in (*forms, "user_block.h5")]
oracle.write({"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version, **documents[0], "checkpoints": documents[1:]})
