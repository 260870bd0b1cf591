"""The readers of ``tf.train``, by their names."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ._checkpoint import Checkpoint
from ._dtypes import numpy_dtype
from ._native import latest


class CheckpointReader:
    """What ``tf.train.load_checkpoint`` returns. Types are NumPy's, where TensorFlow has ``tf.DType``."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._checkpoint = Checkpoint(path)

    def get_tensor(self, name: str) -> Any:
        """The values of a tensor.

        Raises:
            NotFoundError: ``Key … not found in checkpoint``.
            DataLossError: Its bytes are not what was saved.
        """
        return self._checkpoint.read(name)

    def has_tensor(self, name: str) -> bool:
        """Whether there is a tensor of this name."""
        return name in self._checkpoint

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Dimensions, by name."""
        return {info.name: list(info.shape or ()) for info in self._checkpoint.tensors()}

    def get_variable_to_dtype_map(self) -> dict[str, np.dtype]:
        """Types of the arrays, by name; strings are objects."""
        return {info.name: numpy_dtype(info.dtype) for info in self._checkpoint.tensors() if _has_array(info.dtype)}

    def debug_string(self) -> bytes:
        """A line a tensor."""
        lines = (f"{i.name} ({i.dtype}) [{','.join(map(str, i.shape or ()))}]\n" for i in self._checkpoint.tensors())
        return "".join(lines).encode()


def _has_array(dtype: str) -> bool:
    return dtype not in ("variant", "resource")


def load_checkpoint(ckpt_dir_or_file: str | os.PathLike[str]) -> CheckpointReader:
    """A reader of the checkpoint at a prefix, or of the latest one of a directory."""
    return CheckpointReader(ckpt_dir_or_file)


def load_variable(ckpt_dir_or_file: str | os.PathLike[str], name: str) -> Any:
    """The values of one tensor; a name may end in ``:0``."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: str | os.PathLike[str]) -> list[tuple[str, list[int]]]:
    """Names and dimensions, by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def latest_checkpoint(checkpoint_dir: str | os.PathLike[str]) -> str | None:
    """The prefix of the latest checkpoint of a directory, ``None`` if there is none."""
    if not os.path.isdir(checkpoint_dir):
        return None
    found = latest(os.fspath(checkpoint_dir))
    return None if found is None else os.fspath(found)
