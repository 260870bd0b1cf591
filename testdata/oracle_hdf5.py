"""What h5py reads from HDF5 files, and from the files of Keras in which they lie, for expected.json."""

import io
import pathlib
import zipfile

import h5py
import ml_dtypes
import numpy as np

import oracle


def files(path):
    """The HDF5 files that a path means: a file, the one in a .keras archive, those of a list."""
    if path.endswith(".keras"):
        return [io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))]
    if path.endswith(".json"):
        return sorted(pathlib.Path(path).parent.glob(pathlib.Path(path).name.split(".")[0] + "_*.h5"))
    return [path]


def data_sets(path):
    """Name and value of every data set, by name."""
    found = {}

    def each(name, data):
        if isinstance(data, h5py.Dataset):
            value = np.asarray(data[()])
            # Keras stores bfloat16 as bytes of no type, and says so beside them.
            if value.dtype.kind == "V" or data.attrs.get("dtype") == "bfloat16":
                value = value.view(ml_dtypes.bfloat16)
            found[name] = value

    for file in files(path):
        with h5py.File(file) as f:
            f.visititems(each)
    return dict(sorted(found.items()))


def entries(path):
    """An entry of expected.json for every data set."""
    def entry(name, value):
        if value.dtype.kind in "SO":
            return oracle.entry(name, "string", value.shape, value.astype(object))
        value = value.astype(value.dtype.newbyteorder("<"))
        return oracle.entry(name, value.dtype.name, value.shape, value)

    return [entry(name, value) for name, value in data_sets(path).items()]


def keras_document(path, names):
    """A file of a model whose variables were given numbers: which data set has which variable's."""
    own = {name: names[int(value.ravel()[0])] for name, value in data_sets(path).items()}
    return {"prefix": path, "tensors": entries(path), "names": own}
