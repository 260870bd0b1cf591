"""Which of the ops that matter are where in a graph, counted with TensorFlow's own messages."""

import os
import pathlib
import shutil

from tensorflow.core.protobuf import saved_model_pb2

# The saver's own and those that are harmless as they are written in the cases are not listed.
OPS = {"WriteFile", "ReadFile", "PrintV2", "SaveV2", "EagerPyFunc", "PyFunc", "CreateSummaryFileWriter",
       "WriteScalarSummary", "DebugIdentityV2", "RestoreV2", "MatchingFiles", "TFRecordDatasetV2", "Abort",
       "CacheDataset", "CacheDatasetV2", "NotAnOp"}


def placeless(function):
    """Without the path of the script that it was written in, which is marshalled with its code."""
    function.__code__ = function.__code__.replace(co_filename="make.py")
    return function


def of_graph(graph):
    sites = [[n.op, n.name, None] for n in graph.node if n.op in OPS]
    for function in graph.library.function:
        sites += [[n.op, n.name, function.signature.name] for n in function.node_def if n.op in OPS]
    return sorted(sites, key=lambda site: (site[0], site[2] or "", site[1]))


def of_saved_model(directory):
    path = pathlib.Path(directory, "saved_model.pb")
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    return [of_graph(meta_graph.graph_def) for meta_graph in model.meta_graphs]


def slim(directory):
    """Without what a test of the graph does not need: the variables are another test's."""
    for name in ("variables", "fingerprint.pb", "assets"):
        path = pathlib.Path(directory, name)
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            os.remove(path)


def functions(directory):
    """The functions of the root with what they take, as `saved_model_cli show --all` finds them: it loads the model."""
    import tensorflow as tf
    from tensorflow.python.saved_model import save

    loaded = tf.saved_model.load(directory)
    found = {}
    for name, child in save._AugmentedGraphView(loaded).list_children(loaded):
        if hasattr(child, "_list_all_concrete_functions_for_serialization"):
            found[name] = [signature(f) for f in child._list_all_concrete_functions_for_serialization()]
        elif hasattr(child, "structured_input_signature"):
            found[name] = [signature(child)]
    return found


def signature(function):
    import tensorflow as tf

    def one(value):
        if isinstance(value, tf.TensorSpec):
            shape = None if value.shape.rank is None else [-1 if d is None else d for d in value.shape]
            return {"name": value.name, "dtype": value.dtype.name, "shape": shape}
        return {"value": repr(value)}
    positional, named = function.structured_input_signature
    return {"positional": [one(v) for v in positional], "named": {k: one(v) for k, v in sorted(named.items())}}
