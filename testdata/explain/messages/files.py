"""Checkpoints whose files are missing, cut, damaged, mixed up or called otherwise."""

import os
import shutil

import cases
from cases import HTML, LFS, case, data, edit, flip, restore_v1, save_v1


def reader(path):
    import tensorflow as tf

    return tf.train.load_checkpoint(path)


def two_saves():
    import numpy as np

    save_v1("run/model-1", {"w": np.arange(64, dtype=np.float32), "b": np.ones(8, np.float32)})
    save_v1("run/model-2", {"w": np.arange(64, dtype=np.float32) * 3 + 1, "b": np.full(8, 2.5, np.float32)})


@case("saver-no-such-prefix", "no-checkpoint", "run/model.ckpt-100")
def _():
    restore_v1("run/model.ckpt-100", {"w": (2,)})


@case("saver-step-left-out", "no-checkpoint", "run/model.ckpt")
def _():
    save_v1("run/model.ckpt-100", {"w": (2,)})
    restore_v1("run/model.ckpt", {"w": (2,)})


@case("reader-no-such-prefix", "no-checkpoint", "experiments/a b/model-3")
def _():
    reader("experiments/a b/model-3")


@case("checkpoint-no-such-prefix", "no-checkpoint", "tf2/ckpt-7")
def _():
    import tensorflow as tf

    tf.train.Checkpoint(v=tf.Variable(1.0)).restore("tf2/ckpt-7")


@case("list-variables-empty-directory", "no-state-file", "logs/first run")
def _():
    import tensorflow as tf

    os.makedirs("logs/first run")
    tf.train.list_variables("logs/first run")


@case("saver-none", "path-is-none")
def _():
    import tensorflow as tf

    os.makedirs("empty")
    with cases.graph():
        tf.compat.v1.Variable(1.0)
        tf.compat.v1.train.Saver().restore(tf.compat.v1.Session(), tf.train.latest_checkpoint("empty"))


@case("none-plus-text", "path-is-none")
def _():
    import tensorflow as tf

    os.makedirs("empty")
    return tf.train.latest_checkpoint("empty") + ".index"


@case("text-plus-none", "path-is-none")
def _():
    import tensorflow as tf

    os.makedirs("empty")
    return os.path.join("run", tf.train.latest_checkpoint("empty"))


@case("index-given-as-prefix", "member-as-prefix", "run/model-649", "rnn/kernel")
def _():
    save_v1("run/model-649", {"rnn/kernel": (3, 4)})
    restore_v1_unchecked("run/model-649.index", {"rnn/kernel": (3, 4)})


def restore_v1_unchecked(prefix, values):
    """As programs do that run the restore operation themselves."""
    import tensorflow as tf

    for name in values:
        tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=[name], shape_and_slices=[""], dtypes=[tf.float32])


@case("data-given-as-prefix", "member-as-prefix", "run/model-649")
def _():
    save_v1("run/model-649", {"w": (3, 4)})
    reader("run/model-649.data-00000-of-00001")


@case("meta-given-as-prefix", "member-as-prefix", "run/model-649")
def _():
    save_v1("run/model-649", {"w": (3, 4)}, meta=True)
    reader("run/model-649.meta").get_tensor("w")


@case("directory-given-as-prefix", "directory-as-prefix", "'run'")
def _():
    save_v1("run/model-649", {"w": (3, 4)})
    restore_v1_unchecked("run", {"w": (3, 4)})


@case("data-not-copied", "missing-shard", "run/model-1.data-00000-of-00001")
def _():
    save_v1("run/model-1", {"w": (3, 4)})
    os.remove(data("run/model-1"))
    restore_v1("run/model-1", {"w": (3, 4)})


@case("second-shard-not-copied", "missing-shard", "shards/model-1.data-00001-of-00002")
def _():
    import tensorflow as tf

    for n in range(2):
        tf.raw_ops.SaveV2(prefix=f"part-{n}", tensor_names=[f"v{n}"], shape_and_slices=[""], tensors=[tf.ones([3])])
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=["part-0", "part-1"], destination_prefix="shards/model-1")
    os.remove("shards/model-1.data-00001-of-00002")
    reader("shards/model-1").get_tensor("v1")


@case("data-cut", "short-shard")
def _():
    save_v1("run/model-1", {"a": (64, 64), "z": (64, 64)})
    edit(data("run/model-1"), lambda bytes: bytes[:-1000])
    reader("run/model-1").get_tensor("z")


@case("data-is-empty", "short-shard")
def _():
    save_v1("run/model-1", {"a": (64,)})
    edit(data("run/model-1"), lambda bytes: b"")
    restore_v1("run/model-1", {"a": (64,)})


@case("data-is-a-pointer", "foreign-shard", "Git LFS")
def _():
    import numpy as np

    save_v1("run/model-1", {"global_step": np.int32(700)})
    edit(data("run/model-1"), lambda bytes: LFS)
    reader("run/model-1").get_tensor("global_step")


@case("data-is-zeros", "hole-of-zeros", "zeros")
def _():
    save_v1("run/model-1", {"a": (64, 64)})
    edit(data("run/model-1"), lambda bytes: bytearray(len(bytes)))
    restore_v1("run/model-1", {"a": (64, 64)})


@case("one-bit", "single-bit-flip", "bit")
def _():
    save_v1("run/model-1", {"a": (64, 64)})
    edit(data("run/model-1"), lambda bytes: flip(bytes, 5000, 3))
    restore_v1("run/model-1", {"a": (64, 64)})


@case("bytes-changed", "tensor-checksum-mismatch")
def _():
    save_v1("run/model-1", {"a": (64, 64)})
    edit(data("run/model-1"), lambda bytes: bytes[:900] + b"something else" + bytes[914:])
    restore_v1("run/model-1", {"a": (64, 64)})


@case("index-of-another-save", "tensor-checksum-mismatch", "different saves")
def _():
    two_saves()
    shutil.copy("run/model-2.index", "run/model-1.index")
    restore_v1("run/model-1", {"w": (64,), "b": (8,)})


@case("index-cut", "not-a-table")
def _():
    save_v1("run/model-1", {f"layer_{n}/kernel": (2, 2) for n in range(50)})
    edit("run/model-1.index", lambda bytes: bytes[:-300])
    restore_v1("run/model-1", {"layer_1/kernel": (2, 2)})


@case("index-is-empty", "not-a-table", "empty")
def _():
    save_v1("run/model-1", {"w": (2, 2)})
    edit("run/model-1.index", lambda bytes: b"")
    reader("run/model-1")


@case("index-is-a-pointer", "not-a-table", "Git LFS")
def _():
    save_v1("run/model-1", {"w": (2, 2)})
    edit("run/model-1.index", lambda bytes: LFS)
    reader("run/model-1")


@case("index-is-a-web-page", "not-a-table", "web page")
def _():
    save_v1("run/model-1", {"w": (2, 2)})
    edit("run/model-1.index", lambda bytes: HTML)
    reader("run/model-1").get_tensor("w")


@case("index-first-block-flipped", "block-checksum-mismatch", "run/model-1")
def _():
    save_v1("run/model-1", {"w": (2, 2), "v": (3, 3)})
    edit("run/model-1.index", lambda bytes: flip(bytes, 12, 2))
    reader("run/model-1")


@case("strings-changed", "string-lengths-mismatch")
def _():
    import tensorflow as tf

    words = tf.constant(["a much longer word", "b", "c"])
    tf.raw_ops.SaveV2(prefix="run/words", tensor_names=["vocabulary"], shape_and_slices=[""], tensors=[words])
    edit(data("run/words"), lambda bytes: flip(bytes, 0, 0))
    reader("run/words").get_tensor("vocabulary")


@case("state-file-is-binary", "not-text", "`checkpoint`")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (64, 2)})
    shutil.copy(data("run/model-1"), "run/checkpoint")
    edit("run/checkpoint", lambda bytes: b"\x93\xff" + bytes)
    tf.train.get_checkpoint_state("run")


@case("state-file-is-other-text", "state-file-unreadable", stderr=True)
def _():
    import tensorflow as tf

    os.makedirs("run")
    edit_new("run/checkpoint", b"the newest is model-3\n")
    tf.train.latest_checkpoint("run")


@case("state-file-is-stale", "state-file-stale", "model-900", stderr=True)
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (2, 2)})
    edit_new("run/checkpoint", b'model_checkpoint_path: "model-900"\n')
    tf.train.latest_checkpoint("run")


@case("state-file-is-empty", "state-file-unreadable")
def _():
    import tensorflow as tf

    os.makedirs("run")
    edit_new("run/checkpoint", b"")
    tf.train.get_checkpoint_state("run")
    tf.train.latest_checkpoint("run")


def edit_new(file, content):
    with open(file, "wb") as opened:
        opened.write(content)


@case("brackets-in-the-path", "path-is-a-pattern", "grid[1]/model-1")
def _():
    save_v1("grid[1]/model-1", {"w": (2, 2)})
    reader("grid[1]/model-1")


@case("question-mark-in-the-path", "path-is-a-pattern", "why?/model-1")
def _():
    reader("why?/model-1")


@case("no-directory-to-save-into", "no-directory", "not/there/model")
def _():
    save_v1("/proc/not/there/model", {"w": (2,)})


@case("parts-not-in-one-directory", "interrupted-save", "part-00001-of-00002")
def _():
    import tensorflow as tf

    os.makedirs("run/m_temp")
    tf.raw_ops.SaveV2(prefix="run/m_temp/part-00000-of-00002", tensor_names=["v0"], shape_and_slices=[""], tensors=[tf.ones([3])])
    parts = [f"run/m_temp/part-0000{n}-of-00002" for n in range(2)]
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix="run/m")


@case("two-workers-save-one-name", "duplicate-tensor", "dense/kernel")
def _():
    import tensorflow as tf

    parts = [f"run/m_temp/part-0000{n}-of-00002" for n in range(2)]
    os.makedirs("run/m_temp")
    for part in parts:
        tf.raw_ops.SaveV2(prefix=part, tensor_names=["dense/kernel"], shape_and_slices=[""], tensors=[tf.ones([3])])
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=parts, destination_prefix="run/m")


@case("rename-onto-a-directory", "rename-refused", "run/m.index")
def _():
    import tensorflow as tf

    os.makedirs("run/m.index/x")
    tf.raw_ops.SaveV2(prefix="run/m", tensor_names=["v"], shape_and_slices=[""], tensors=[tf.ones([3])])


@case("disk-is-full", "disk-full")
def _():
    import resource
    import signal
    import tensorflow as tf

    # A quota on the size of one file is the only limit that needs no administrator.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
    tf.raw_ops.SaveV2(prefix="run/m", tensor_names=["v"], shape_and_slices=[""], tensors=[tf.ones([100000])])


@case("v1-file-cut", "not-a-table", "old/model.ckpt")
def _():
    import tensorflow as tf

    with cases.graph():
        tf.compat.v1.Variable(tf.ones([40, 40]), name="w", use_resource=False)
        saver = tf.compat.v1.train.Saver(write_version=tf.compat.v1.train.SaverDef.V1)
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            os.makedirs("old")
            saver.save(session, "old/model.ckpt", write_meta_graph=False)
    edit("old/model.ckpt", lambda bytes: bytes[: len(bytes) // 2])
    reader("old/model.ckpt")
