"""Writes wild.json: what TensorFlow's own messages say of every SavedModel below CKPT_WILD, by path from there.

    CKPT_WILD=/some/checkpoints /some/venv/bin/python testdata/ops/wild.py

The models themselves are other people's and are not copied here.
"""

import os
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent)]
import oracle

from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

root = pathlib.Path(os.environ["CKPT_WILD"])
models = {}
for path in sorted(root.rglob("saved_model.pb*")):
    if path.suffix == ".pb":
        model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    else:
        model = text_format.Parse(path.read_text(), saved_model_pb2.SavedModel())
    graphs = oracle.meta_graphs(str(path.parent))
    for graph, message in zip(graphs, model.meta_graphs):
        graph["nodes"] = len(message.graph_def.node)
        graph["functions"] = len(message.graph_def.library.function)
        graph["saver"] = message.saver_def.restore_op_name
    models[path.relative_to(root).as_posix()] = graphs
oracle.write(models, here / "wild.json")
print(len(models), "models")
