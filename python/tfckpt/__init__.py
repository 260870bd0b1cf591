"""TensorFlow checkpoints without TensorFlow.

``open`` gives names and arrays of anything that the command ``ckpt`` reads: checkpoints, SavedModels, directories of
them, files of Keras, safetensors and NumPy. ``load_checkpoint``, ``list_variables``, ``load_variable`` and
``latest_checkpoint`` stand in for those of ``tf.train``. ``inspect``, ``tensors``, ``stats``, ``diff`` and
``validate`` return what the command prints with ``--format json``, as dictionaries.
"""

from . import errors
from ._checkpoint import Checkpoint, TensorInfo, open
from ._documents import diff, inspect, stats, tensors, validate
from ._native import __version__
from ._train import CheckpointReader, latest_checkpoint, list_variables, load_checkpoint, load_variable

__all__ = [
    "Checkpoint",
    "CheckpointReader",
    "TensorInfo",
    "__version__",
    "diff",
    "errors",
    "inspect",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "open",
    "stats",
    "tensors",
    "validate",
]
