"""Data sets in chunks: every kind of index, every filter of h5py, data sets that grew and shrank."""
import itertools, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle, oracle_hdf5

import h5py
import numpy as np

oracle.enter(__file__)

FILTERS = {
    "plain": {},
    "gzip": {"compression": "gzip"},
    "all": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "fletcher32": {"fletcher32": True},
    "lzf": {"compression": "lzf", "shuffle": True},
}


def write(f):
    shape, chunks = (5, 7), (2, 3)
    # Fixed, growing along one dimension (the first, the last), along all.
    most = {"fixed": None, "first": (None, 7), "last": (5, None), "all": (None, None), "bound": (10, 9)}
    for (filters, options), (name, maxshape) in itertools.product(FILTERS.items(), most.items()):
        data = np.arange(35, dtype=np.float32).reshape(shape)
        f.create_dataset(f"{filters}/{name}", data=data, chunks=chunks, maxshape=maxshape, **options)
    for filters, options in FILTERS.items():
        data = np.arange(24, dtype=">i2").reshape(2, 3, 4)
        f.create_dataset(f"{filters}/big", data=data, chunks=(2, 3, 4), **options)
        f.create_dataset(f"{filters}/larger", data=np.arange(6.0), chunks=(8,), maxshape=(None,), **options)
    text = [f"text {n}" for n in range(20)]
    f.create_dataset("text/lists", data=text, chunks=(7,), compression="gzip")
    f.create_dataset("text/fixed", data=np.array(text, "S"), chunks=(7,), compression="gzip")
    for name, options in FILTERS.items():
        sparse = f.create_dataset("sparse/" + name, shape=(9, 9), dtype=np.float32, chunks=(2, 2), fillvalue=2.5, **options)
        sparse[3:5, 6] = 1
    whole = f.create_dataset("changed/shrunk", data=np.arange(100).reshape(10, 10), chunks=(3, 3), maxshape=(None, None))
    whole.resize((4, 5))
    whole = f.create_dataset("changed/grown", data=np.arange(9).reshape(3, 3), chunks=(2, 2), maxshape=(None, None))
    whole.resize((6, 8))
    # So many that arrays of chunks have pages and blocks of blocks, of which most were never written.
    for name, maxshape in (("fixed", None), ("growing", (None,))):
        sparse = f.create_dataset("many/" + name, shape=(12000,), dtype=np.int8, chunks=(1,), maxshape=maxshape)
        sparse[[0, 5, 1023, 5000, 11999]] = [1, 2, 3, 4, 5]
    f.create_dataset("many/tree", data=np.arange(900, dtype=np.int16).reshape(30, 30), chunks=(1, 3), maxshape=(None, None))
    # Allocated at once, without an index.
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((2, 3))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    h5py.h5d.create(f.id, b"implicit", h5py.h5t.STD_I32LE, h5py.h5s.create_simple((5, 7)), early)
    f["implicit"][...] = np.arange(35).reshape(5, 7)


forms = {"oldest.h5": "earliest", "newest.h5": "latest"}
for path, libver in forms.items():
    with h5py.File(path, "w", libver=libver) as f:
        write(f)
documents = [{"prefix": path, "tensors": oracle_hdf5.entries(path)} for path in forms]
oracle.write({"h5py": h5py.__version__, "hdf5": h5py.version.hdf5_version, **documents[0], "checkpoints": documents[1:]})
