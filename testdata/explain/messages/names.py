"""Checkpoints and programs of TensorFlow 1 that do not fit each other: names, shapes, types, parts."""

import cases
from cases import case, restore_v1, save_v1


@case("variable-renamed", "restore-missing", "decoder/output/kernel")
def _():
    save_v1("run/model-1", {"decoder/output/weights": (3, 4)})
    restore_v1("run/model-1", {"decoder/output/kernel": (3, 4)})


@case("name-with-quotes", "restore-missing", "it's a \"name\"")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (2,)})
    tf.train.load_checkpoint("run/model-1").get_tensor("it's a \"name\"")


@case("average-missing", "restore-missing", "unit_2/conv/gamma/ExponentialMovingAverage", "average")
def _():
    save_v1("run/model-1", {"unit_2/conv/gamma": (8,)})
    restore_v1("run/model-1", {"unit_2/conv/gamma/ExponentialMovingAverage": (8,)})


@case("slot-missing", "restore-missing", "fc/w/Momentum", "optimizer")
def _():
    save_v1("run/model-1", {"fc/w": (8,)})
    restore_v1("run/model-1", {"fc/w": (8,), "fc/w/Momentum": (8,)})


@case("power-missing", "restore-missing", "train/beta2_power", "optimizer")
def _():
    save_v1("run/model-1", {"fc/w": (8,)})
    restore_v1("run/model-1", {"train/beta2_power": (8,)})


@case("zero-debias-missing", "restore-missing", "bn/moving_mean/biased", "zero_debias")
def _():
    save_v1("run/model-1", {"bn/moving_mean": (8,)})
    restore_v1("run/model-1", {"bn/moving_mean/biased": (8,)})


@case("range-missing", "restore-missing", "conv1/act_quant/min", "quantiz")
def _():
    save_v1("run/model-1", {"conv1/weights": (8,)})
    restore_v1("run/model-1", {"conv1/act_quant/min": (1,)})


@case("part-missing", "restore-missing", "emb/weights/part_3", "part")
def _():
    save_v1("run/model-1", {"emb/weights": (8,)})
    restore_v1("run/model-1", {"emb/weights/part_3": (2,)})


@case("step-missing", "restore-missing", "global_step", "step")
def _():
    import numpy as np

    save_v1("run/model-1", {"w": (8,)})
    restore_v1("run/model-1", {"global_step": np.int64(0)})


@case("init-from-missing", "restore-missing", "encoder/kernel")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (2,)})
    with cases.graph():
        tf.compat.v1.get_variable("encoder/kernel", [2])
        tf.compat.v1.train.init_from_checkpoint("run/model-1", {"encoder/kernel": "encoder/kernel"})


@case("init-from-scope-missing", "restore-missing", "bert/pooler/kernel")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"bert/w": (2,)})
    with cases.graph():
        tf.compat.v1.get_variable("bert/pooler/kernel", [2])
        tf.compat.v1.train.init_from_checkpoint("run/model-1", {"bert/": "bert/"})


@case("assign-head", "restore-shape-mismatch", "512×37", "512×21")
def _():
    save_v1("run/model-1", {"head/w": (512, 21)})
    restore_v1("run/model-1", {"head/w": (512, 37)})


@case("assign-rank", "restore-shape-mismatch", "3×4", "[12]")
def _():
    save_v1("run/model-1", {"w": (12,)})
    restore_v1("run/model-1", {"w": (3, 4)})


@case("partitioned-shape", "restore-shape-mismatch", "emb", "10×4", "12×4")
def _():
    import tensorflow as tf

    v1 = tf.compat.v1
    save_v1("run/model-1", {"emb": (12, 4)})
    with cases.graph():
        v1.get_variable("emb", [10, 4], partitioner=tf.compat.v1.fixed_size_partitioner(2), use_resource=False)
        with v1.Session() as session:
            v1.train.Saver().restore(session, "run/model-1")


@case("init-from-shape", "restore-shape-mismatch", "emb/table", "100×8", "90×8")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"emb/table": (90, 8)})
    with cases.graph():
        tf.compat.v1.get_variable("emb/table", [100, 8])
        tf.compat.v1.train.init_from_checkpoint("run/model-1", {"emb/table": "emb/table"})


@case("double-wanted", "restore-dtype-mismatch", "fc/b", "float64", "float32")
def _():
    import numpy as np

    save_v1("run/model-1", {"fc/b": np.ones(3, np.float32)})
    restore_v1("run/model-1", {"fc/b": np.ones(3, np.float64)})


@case("integer-wanted", "restore-dtype-mismatch", "hits", "int64", "float32")
def _():
    import numpy as np

    save_v1("run/model-1", {"hits": np.ones(3, np.float32)})
    restore_v1("run/model-1", {"hits": np.ones(3, np.int64)})


@case("short-integer-wanted", "restore-dtype-mismatch", "global_step", "int32", "int64")
def _():
    import numpy as np

    save_v1("run/model-1", {"global_step": np.int64(5)})
    restore_v1("run/model-1", {"global_step": np.int32(0)})


@case("half-stored", "restore-dtype-mismatch", "fc/w", "float16", "half precision")
def _():
    import numpy as np

    save_v1("run/model-1", {"fc/w": np.ones(3, np.float16)})
    restore_v1("run/model-1", {"fc/w": np.ones(3, np.float32)})


def save_slices(name, dtype, rows, whole):
    import tensorflow as tf

    tf.raw_ops.SaveV2(
        prefix="run/model-1",
        tensor_names=[name],
        shape_and_slices=[f"{whole} 3 0,{rows}:0,3"],
        tensors=[tf.ones([rows, 3], dtype)],
    )


@case("slices-not-all-there", "slices-incomplete", "emb/rows")
def _():
    import tensorflow as tf

    save_slices("emb/rows", tf.float32, 4, 10)
    tf.train.load_checkpoint("run/model-1").get_tensor("emb/rows")


@case("slot-of-one-part", "slices-incomplete", "dnn/hidden/part_0/Adagrad", "normal")
def _():
    import tensorflow as tf

    save_slices("dnn/hidden/part_0/Adagrad", tf.float32, 4, 10)
    tf.train.load_checkpoint("run/model-1").get_tensor("dnn/hidden/part_0/Adagrad")


@case("half-in-slices", "half-in-slices")
def _():
    import tensorflow as tf

    save_slices("emb/rows", tf.float16, 10, 10)
    tf.raw_ops.RestoreV2(prefix="run/model-1", tensor_names=["emb/rows"], shape_and_slices=["10 3 0,5:0,3"], dtypes=[tf.float16])


@case("nothing-to-save", "no-variables")
def _():
    import tensorflow as tf

    with cases.graph():
        tf.compat.v1.train.Saver()


@case("uninitialized", "uninitialized-variable", "fc/bias")
def _():
    import tensorflow as tf

    v1 = tf.compat.v1
    with cases.graph():
        value = v1.Variable([1.0], name="fc/bias", use_resource=False)
        v1.Session().run(value)


@case("uninitialized-resource", "uninitialized-variable", "lstm/bias")
def _():
    import tensorflow as tf

    v1 = tf.compat.v1
    with cases.graph():
        value = v1.Variable([1.0], name="lstm/bias", use_resource=True)
        v1.Session().run(value.read_value())


@case("saver-in-eager-mode", "saver-in-eager-mode")
def _():
    import tensorflow as tf

    tf.compat.v1.train.Saver()


@case("no-meta-file", "no-such-file", "run/model-1.meta")
def _():
    import tensorflow as tf

    with cases.graph():
        tf.compat.v1.train.import_meta_graph("run/model-1.meta")


@case("meta-cut", "not-text", ".meta")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (2,), "v": (3,)}, meta=True)
    cases.edit("run/model-1.meta", lambda bytes: bytes[: len(bytes) * 2 // 3])
    with cases.graph():
        tf.compat.v1.train.import_meta_graph("run/model-1.meta")


@case("tensor-not-in-graph", "name-not-in-graph", "logits:0")
def _():
    import tensorflow as tf

    with cases.graph() as opened:
        tf.compat.v1.placeholder(tf.float32, name="x")
        opened.get_tensor_by_name("logits:0")


@case("operation-not-in-graph", "name-not-in-graph", "head/Softmax")
def _():
    with cases.graph() as opened:
        opened.get_operation_by_name("head/Softmax")


@case("tensor-name-without-output", "tensor-name-without-output", "head/Softmax")
def _():
    import tensorflow as tf

    with cases.graph() as opened:
        tf.compat.v1.placeholder(tf.float32, name="head/Softmax")
        opened.get_tensor_by_name("head/Softmax")


@case("collection-names-nothing", "name-not-in-graph", "train_op_2", "collection")
def _():
    import tensorflow as tf

    v1 = tf.compat.v1
    save_v1("run/model-1", {"w": (2,)}, meta=True)
    meta = tf.compat.v1.MetaGraphDef()
    with open("run/model-1.meta", "rb") as opened:
        meta.ParseFromString(opened.read())
    meta.collection_def["train_op"].node_list.value.append("train_op_2")
    with open("run/model-1.meta", "wb") as opened:
        opened.write(meta.SerializeToString())
    with cases.graph():
        v1.train.import_meta_graph("run/model-1.meta")


@case("too-large-a-constant", "graph-too-large")
def _():
    import numpy as np
    import tensorflow as tf

    with cases.graph():
        tf.constant(np.zeros([1 << 29, 2], np.float32))
