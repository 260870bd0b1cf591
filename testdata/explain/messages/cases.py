"""What the files of cases have in common: a case is a function that raises, with the cause that it plants."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

CASES = []


def case(name, cause, *must, stderr=False):
    """Declares a case: its name, the cause that it plants (a name of docs/messages.md), and facts that an answer must
    quote. With `stderr` the message is what the program logs or warns, not an exception."""

    def declare(run):
        CASES.append({"name": name, "cause": cause, "must": list(must), "run": run, "stderr": stderr})
        return run

    return declare


def graph():
    """A new graph of TensorFlow 1 and its session's context."""
    import tensorflow as tf

    return tf.Graph().as_default()


def save_v1(prefix, values, **options):
    """Saves values by name, as a Saver of TensorFlow 1 does; a shape may be given instead of a value."""
    import numpy as np
    import tensorflow as tf

    v1 = tf.compat.v1
    with graph():
        variables = []
        for name, value in values.items():
            value = np.asarray(value) if not isinstance(value, tuple) else np.ones(value, np.float32)
            variables.append(v1.Variable(value, name=name, use_resource=options.get("use_resource", False)))
        saver = v1.train.Saver(variables, sharded=False)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            return saver.save(session, prefix, write_meta_graph=options.get("meta", False), write_state=options.get("state", False))


def restore_v1(prefix, values, use_resource=False):
    """Restores into variables of these names and values."""
    import numpy as np
    import tensorflow as tf

    v1 = tf.compat.v1
    with graph():
        for name, value in values.items():
            value = np.asarray(value) if not isinstance(value, tuple) else np.ones(value, np.float32)
            v1.Variable(value, name=name, use_resource=use_resource)
        with v1.Session() as session:
            v1.train.Saver().restore(session, prefix)


def edit(file, change):
    """Changes the bytes of a file."""
    with open(file, "rb") as opened:
        data = bytearray(opened.read())
    data = change(data)
    with open(file, "wb") as opened:
        opened.write(bytes(data))


def data(prefix):
    return prefix + ".data-00000-of-00001"


def flip(data, at, bit=0):
    data[at] ^= 1 << bit
    return data


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"9" * 64 + b"\nsize 103000\n"
HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>" + b"<p>Please sign in to continue.</p>" * 30 + b"</body></html>\n"
