"""SavedModels: not there, not one, not whole, or not for this program."""

import gzip
import os
import shutil

import cases
from cases import LFS, case, edit


def export(path, asset=False):
    import tensorflow as tf

    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(tf.ones([40, 3]), name="w")
            self.table = None
            if asset:
                with open("vocab.txt", "w", encoding="utf-8") as opened:
                    opened.write("a\nb\n")
                init = tf.lookup.TextFileInitializer(
                    "vocab.txt", tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
                )
                self.table = tf.lookup.StaticHashTable(init, -1)

        @tf.function(input_signature=[tf.TensorSpec([None, 40])])
        def __call__(self, x):
            return x @ self.w

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look(self, x):
            return self.table.lookup(x)

    model = Model()
    signatures = {"serving_default": model.__call__.get_concrete_function()}
    if asset:
        signatures["look"] = model.look.get_concrete_function()
    else:
        del Model.look
    tf.saved_model.save(model, path, signatures=signatures)


def load(path, **options):
    import tensorflow as tf

    return tf.saved_model.load(path, **options)


@case("no-saved-model", "no-saved-model", "export/v3")
def _():
    os.makedirs("export/v3")
    load("export/v3")


@case("saved-model-one-level-deeper", "no-saved-model", "export")
def _():
    export("export/1")
    load("export")


@case("saved-model-cut", "bad-saved-model", "export/saved_model.pb")
def _():
    export("export")
    edit("export/saved_model.pb", lambda bytes: bytes[: len(bytes) * 3 // 4])
    load("export")


@case("saved-model-is-a-pointer", "bad-saved-model", "Git LFS")
def _():
    export("export")
    edit("export/saved_model.pb", lambda bytes: LFS)
    load("export")


@case("saved-model-is-gzip", "bad-saved-model", "gzip")
def _():
    export("export")
    edit("export/saved_model.pb", lambda bytes: gzip.compress(bytes, mtime=0))
    load("export")


@case("saved-model-is-a-label-map", "bad-saved-model", "export/saved_model.pbtxt")
def _():
    export("export")
    os.remove("export/saved_model.pb")
    with open("export/saved_model.pbtxt", "w", encoding="utf-8") as opened:
        opened.write("item {\n  id: 1\n  name: 'cat'\n}\n")
    load("export")


@case("saved-model-is-empty", "saved-model-without-graph")
def _():
    export("export")
    edit("export/saved_model.pb", lambda bytes: b"")
    load("export")


@case("saved-model-empty-v1-loader", "saved-model-without-graph")
def _():
    import tensorflow as tf

    export("export")
    edit("export/saved_model.pb", lambda bytes: b"")
    with cases.graph(), tf.compat.v1.Session() as session:
        tf.compat.v1.saved_model.load(session, ["serve"], "export")


@case("variables-not-copied", "missing-variables", "export/variables/variables")
def _():
    export("export")
    shutil.rmtree("export/variables")
    load("export")


@case("variables-index-not-copied", "missing-variables", "export/variables/variables")
def _():
    export("export")
    os.remove("export/variables/variables.index")
    load("export")


@case("variables-data-not-copied", "missing-shard", "export/variables/variables.data-00000-of-00001")
def _():
    export("export")
    os.remove("export/variables/variables.data-00000-of-00001")
    load("export")


@case("variables-cut", "short-shard")
def _():
    export("export")
    edit("export/variables/variables.data-00000-of-00001", lambda bytes: bytes[:30])
    load("export")


@case("tags-wrong", "no-serve-tag", "serve")
def _():
    import tensorflow as tf

    export("export")
    with cases.graph(), tf.compat.v1.Session() as session:
        tf.compat.v1.saved_model.load(session, ["train", "gpu"], "export")


@case("tags-must-be-named", "choose-tags", "2")
def _():
    import tensorflow as tf

    v1 = tf.compat.v1
    builder = v1.saved_model.Builder("export")
    for n, tags in enumerate([["serve"], ["serve", "tpu"]]):
        with cases.graph(), v1.Session() as session:
            v1.Variable(1.0, name="w", use_resource=True)
            session.run(v1.global_variables_initializer())
            if n == 0:
                builder.add_meta_graph_and_variables(session, tags)
            else:
                builder.add_meta_graph(tags)
    builder.save()
    load("export")


@case("asset-not-copied", "missing-asset", "vocab.txt")
def _():
    export("export", asset=True)
    shutil.rmtree("export/assets")
    load("export")


@case("op-unknown", "op-custom", "FrobnicateText")
def _():
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    node = graph.node.add()
    node.name, node.op = "x", "FrobnicateText"
    with cases.graph():
        tf.import_graph_def(graph)


@case("op-unknown-in-saved-model", "op-custom", "FrobnicateText")
def _():
    from tensorflow.core.protobuf import saved_model_pb2

    export("export")
    model = saved_model_pb2.SavedModel()
    with open("export/saved_model.pb", "rb") as opened:
        model.ParseFromString(opened.read())
    for function in model.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "MatMul":
                node.op = "FrobnicateText"
    with open("export/saved_model.pb", "wb") as opened:
        opened.write(model.SerializeToString())
    load("export")


@case("op-without-kernel", "no-kernel", "CudnnRNNV3")
def _():
    import tensorflow as tf

    v1 = tf.compat.v1
    with cases.graph(), v1.Session() as session:
        one = tf.zeros([1, 1, 1])
        out = tf.raw_ops.CudnnRNNV3(
            input=one, input_h=one, input_c=one, params=tf.zeros([8]), sequence_lengths=tf.constant([1])
        )
        session.run(out.output)


@case("type-not-registered", "unregistered-type", "frob.Spec")
def _():
    from tensorflow.core.protobuf import saved_model_pb2

    export("export")
    model = saved_model_pb2.SavedModel()
    with open("export/saved_model.pb", "rb") as opened:
        model.ParseFromString(opened.read())
    for function in model.meta_graphs[0].object_graph_def.concrete_functions.values():
        value = function.output_signature
        value.Clear()
        spec = value.type_spec_value
        spec.type_spec_class = type(spec).REGISTERED_TYPE_SPEC
        spec.type_spec_class_name = "frob.Spec"
        spec.type_state.tuple_value.SetInParent()
    with open("export/saved_model.pb", "wb") as opened:
        opened.write(model.SerializeToString())
    load("export")
