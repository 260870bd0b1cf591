"""Single arrays by np.save: in C order, in the order of Fortran, of text, in version 2.0 and 3.0 of the format."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np

oracle.enter(__file__)

arrays = {
    "weights": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    "columns": np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
    "words": np.array(["a", "bc"]),
}
documents = []
for name, value in arrays.items():
    np.save(f"{name}.npy", value)
    dtype = "string" if value.dtype.kind == "U" else value.dtype.name
    value = value.astype(object) if dtype == "string" else value
    documents.append({"prefix": f"{name}.npy", "tensors": [oracle.entry(name, dtype, value.shape, value)]})
for version in (2, 3):
    with open(f"version{version}.npy", "wb") as file:
        np.lib.format.write_array(file, arrays["weights"], version=(version, 0))
    entry = oracle.entry(f"version{version}", "float32", [3, 4], arrays["weights"])
    documents.append({"prefix": f"version{version}.npy", "tensors": [entry]})
oracle.write({"numpy": np.__version__, **documents[0], "checkpoints": documents[1:]})
