"""Links, bytes in other files, filters and types beside data sets that are read; in the oldest and in the newest form."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle, oracle_hdf5

import h5py
import numpy as np

oracle.enter(__file__)

# What is told of a data set that is not read.
UNREAD = {
    "external": "other files", "virtual": "other data sets", "compound": "records", "reference": "references",
    "lists": "lists of different lengths", "array": "arrays within elements", "opaque": "opaque elements of 5 bytes",
    "float8": "unusual form", "zstd": "filter 32015 (zstd)", "unheard": "filter 31999",
}


def filtered(f, name, number, values=()):
    """A data set whose one chunk went through a filter that is not installed here."""
    form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    form.set_chunk((4,))
    form.set_filter(number, h5py.h5z.FLAG_OPTIONAL, values)
    data = h5py.h5d.create(f.id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((4,)), form)
    data.write_direct_chunk((0,), b"\x28\xb5\x2f\xfd packed", 0)


def nbit(f):
    form = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    form.set_chunk((3,))
    form.set_filter(h5py.h5z.FILTER_NBIT)
    h5py.h5d.create(f.id, b"read/nbit", h5py.h5t.STD_I16BE, h5py.h5s.create_simple((5,)), form)
    f["read/nbit"][...] = [-3, 0, 7, 300, 1]


def write(f):
    f["read/plain"] = np.arange(6, dtype=np.float32)
    numbers = np.array([[5, -7, 1000], [0, 3, 255]], np.int32)
    f.create_dataset("read/offsets", data=numbers, chunks=(2, 2), scaleoffset=0)
    f.create_dataset("read/offsets_filled", shape=(7,), dtype=">i8", chunks=(4,), scaleoffset=0, fillvalue=-1)[1:4] = [9, 2**40, 3]
    f.create_dataset("read/decimals", data=np.array([1.234, -5.5, 1e4, 0.1]), chunks=(4,), scaleoffset=2)
    f.create_dataset("read/decimals32", data=np.array([1.234, -5.5, 100, 0.1], np.float32), chunks=(3,), scaleoffset=1, shuffle=True)
    f.create_dataset("read/same", data=np.full(9, 4, np.uint8), chunks=(9,), scaleoffset=0)
    nbit(f)
    f["read/again"] = f["read/plain"]
    f["soft"], f["soft_group"] = h5py.SoftLink("/read/plain"), h5py.SoftLink("read")
    f["dangling"], f["elsewhere"] = h5py.SoftLink("/nowhere"), h5py.ExternalLink("../other.h5", "/x")
    f["read/up"] = f["/"]
    f.create_dataset("external", (4,), np.float32, external=[("raw.bin", 0, 16)])
    f["compound"] = np.zeros(2, [("a", "i4"), ("b", "f8")])
    f.create_dataset("reference", data=[f["read"].ref], dtype=h5py.ref_dtype)
    f.create_dataset("lists", (2,), h5py.vlen_dtype(np.int32))
    f.create_dataset("array", (2,), np.dtype(("f4", (3,))))
    f["opaque"] = np.zeros(2, "V5")
    small = h5py.h5t.IEEE_F16LE.copy()
    small.set_fields(7, 3, 4, 0, 3)
    small.set_precision(8)
    small.set_size(1)
    small.set_ebias(7)
    h5py.h5d.create(f.id, b"float8", small, h5py.h5s.create_simple((3,)))
    filtered(f, "zstd", 32015, (3,))
    filtered(f, "unheard", 31999)


documents = []
for path, libver in {"oldest.h5": "earliest", "newest.h5": "latest"}.items():
    with h5py.File(path, "w", libver=libver) as f:
        write(f)
        if libver == "latest":
            layout = h5py.VirtualLayout((6,), np.float32)
            layout[:] = h5py.VirtualSource(f["read/plain"])
            f.create_virtual_dataset("virtual", layout)
    with h5py.File(path) as f:
        entries = [oracle.entry(f"read/{name}", value.dtype.newbyteorder("=").name, value.shape, value[()].astype(value.dtype.newbyteorder("<")))
                   for name, value in sorted(f["read"].items()) if isinstance(value, h5py.Dataset)]
        documents.append({"prefix": path, "tensors": entries, "unread": {name: why for name, why in UNREAD.items() if name in f}})
oracle.write({"h5py": h5py.__version__, **documents[0], "checkpoints": documents[1:]})
