"""A SavedModel whose variables are exchanged by what `ckpt convert` writes, and loaded by TensorFlow.

    python testdata/convert_exchange/variables/make.py CKPT

CKPT is the program. `states-1` and `states-2` are checkpoints of the module that the SavedModel was made of; CKPT makes
the variables of a copy of it from them. TensorFlow loads every copy for real and calls its signature; expected.json
records the options and the sums of the files with which the answer was that of the module.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).resolve().parent
CKPT = pathlib.Path(sys.argv[1]).resolve()
rng = np.random.default_rng(3)


class Net(tf.Module):
    def __init__(self):
        self.dense = [self.draw((2, 3)), self.draw((3, 2))]
        self.bias = self.draw((2,))
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

    def draw(self, shape):
        return tf.Variable(rng.standard_normal(shape).astype("f4"))

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32)])
    def __call__(self, x):
        return tf.matmul(tf.matmul(x, self.dense[0]), self.dense[1]) + self.bias + tf.cast(self.step, tf.float32)


def sums(directory):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(directory.iterdir())}


def mean(a, b):
    net = Net()
    for variable, x, y in zip(net.variables, a.variables, b.variables):
        variable.assign((x + y) / 2 if variable.dtype.is_floating else y)
    return net


def main():
    for old in HERE.iterdir():
        if old.name not in ("make.py", "README.md"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    first = Net()
    tf.saved_model.save(first, str(HERE / "model"), signatures=first.__call__)
    # An empty directory is in no repository.
    (HERE / "model" / "assets").rmdir()
    nets = [Net(), Net()]
    for n, net in enumerate(nets, 1):
        net.step.assign(n)
        tf.train.Checkpoint(root=net).write(str(HERE / f"states-{n}"))
    cases = {
        "trained": (["states-1"], [], nets[0]),
        "mean": (["states-1", "states-2"], ["--mean"], mean(*nets)),
        "shards": (["states-2"], ["--shards", "2"], nets[1]),
    }
    x = tf.constant(rng.standard_normal((4, 2)).astype("f4"))
    recorded = {}
    for case, (inputs, options, net) in cases.items():
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch) / "model"
            shutil.copytree(HERE / "model", copy)
            out = copy / "variables" / "variables"
            command = [CKPT, "convert", *[HERE / name for name in inputs], "-o", out, "--force", *options]
            subprocess.run(command, check=True, capture_output=True)
            loaded = tf.saved_model.load(str(copy)).signatures["serving_default"](x=x)
            assert np.allclose(list(loaded.values())[0], net(x), atol=1e-6), case
            recorded[case] = {"inputs": inputs, "options": options, "sums": sums(copy / "variables")}
    document = {"tensorflow": tf.__version__, "loaded": recorded}
    (HERE / "expected.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
