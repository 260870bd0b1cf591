"""The same as TensorFlow itself, where it is installed: every checkpoint of testdata, every tensor."""

import os
from pathlib import Path

import numpy as np
import pytest
import tfckpt

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
tf = pytest.importorskip("tensorflow")

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
PREFIXES = sorted(str(index)[: -len(".index")] for index in TESTDATA.rglob("*.index"))


def reader(prefix):
    """TensorFlow's reader, or the name of the class of its error."""
    try:
        return tf.train.load_checkpoint(prefix)
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda prefix: str(Path(prefix).relative_to(TESTDATA)))
def test_values_are_those_of_tensorflow(prefix):
    theirs = reader(prefix)
    if isinstance(theirs, str):
        pytest.skip(f"TensorFlow refuses it: {theirs}")
    ours = tfckpt.load_checkpoint(prefix)
    try:
        shapes = theirs.get_variable_to_shape_map()
    except UnicodeDecodeError:
        pytest.skip("TensorFlow cannot list names that are no text")
    if Path(prefix).with_suffix(".index").is_file() and tfckpt.open(prefix).damage:
        pytest.skip("TensorFlow lists no more of a damaged index than it comes to")
    assert ours.get_variable_to_shape_map() == {name: list(shape) for name, shape in shapes.items()}
    dtypes = theirs.get_variable_to_dtype_map()
    for name in shapes:
        assert ours.has_tensor(name)
        try:
            want = theirs.get_tensor(name)
        except Exception as error:
            # What TensorFlow can hold and cannot put together from slices is read all the same.
            if "not supported" in str(error):
                continue
            with pytest.raises(Exception) as raised:
                ours.get_tensor(name)
            # Its most general class may have a more exact one here; slices that are not there are a ValueError there.
            classes = [one.__name__ for one in type(raised.value).__mro__]
            assert type(error).__name__ in classes or "sufficient slices" in str(error), name
            continue
        got = ours.get_tensor(name)
        assert type(got) is type(want), name
        if isinstance(want, bytes):
            assert got == want, name
            continue
        assert got.dtype == want.dtype and got.shape == want.shape, name
        if want.dtype == np.object_:
            assert got.tolist() == want.tolist(), name
        else:
            assert got.tobytes() == want.tobytes(), name


def test_the_functions_of_tf_train():
    plain = str(TESTDATA / "saver_v2/plain")
    assert tfckpt.list_variables(plain) == tf.train.list_variables(plain)
    assert tfckpt.load_variable(plain, "global_step:0") == tf.train.load_variable(plain, "global_step:0")
    for directory in ["model_dir/run", "model_dir/estimator", "dtypes", "no/such/directory"]:
        path = str(TESTDATA / directory)
        ours, theirs = tfckpt.latest_checkpoint(path), tf.train.latest_checkpoint(path)
        assert (ours is None) == (theirs is None), directory
        if theirs is not None:
            assert os.path.abspath(ours) == os.path.abspath(theirs), directory


def test_errors_are_of_the_same_class():
    plain = str(TESTDATA / "saver_v2/plain")
    for run in [lambda m: m.load_checkpoint(plain).get_tensor("nope"), lambda m: m.load_checkpoint("/no/such/prefix")]:
        classes = []
        for module in (tf.train, tfckpt):
            with pytest.raises(Exception) as raised:
                run(module)
            classes.append(type(raised.value).__name__)
        assert classes[0] == classes[1]
