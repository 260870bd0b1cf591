"""Writes src/analysis/ops/op_names.txt: the name of every op that TensorFlow registers, sorted, one a line.

    PYTHON=/some/venv/bin/python; $PYTHON testdata/ops/op_names.py

The list that is checked in comes from tensorflow-cpu 2.21.0 (`TF_GetAllOpList` of the C API, no other package
imported). Ops that only a GPU or TPU build registers are missing from it, and so are those of TensorFlow's own
add-on libraries (TensorFlow Text, TF-TRT): a model with those needs a library besides TensorFlow.
"""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session

ops = op_def_pb2.OpList.FromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
names = sorted({op.name for op in ops.op}, key=lambda name: name.encode())
target = pathlib.Path(__file__).resolve().parents[2] / "src/analysis/ops/op_names.txt"
target.write_text("".join(f"{name}\n" for name in names), encoding="ascii")
print(f"TensorFlow {tf.__version__}: {len(names)} ops")
