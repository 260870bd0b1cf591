"""A checkpoint as a mapping of names to arrays."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ._dtypes import numpy_dtype
from ._native import Reader
from .errors import InvalidArgumentError, NotFoundError

#: Rows of a table in a notebook.
_ROWS = 60


class TensorInfo(NamedTuple):
    """What is known of a tensor before it is read."""

    #: The name, as bytes only where it is no text.
    name: str | bytes
    #: TensorFlow's name of the dtype: ``float32``, ``bfloat16``, ``string``, ...
    dtype: str
    #: Dimensions; ``None`` where not even their number is known.
    shape: tuple[int, ...] | None
    #: Bytes of the elements; ``None`` where they cannot be told before they are read.
    nbytes: int | None


def _key(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")


def _dim(index: Any) -> str:
    """One index in NumPy's slice syntax."""
    if index is Ellipsis:
        return "..."
    if isinstance(index, slice):
        parts = [index.start, index.stop, index.step]
        if parts[2] is None:
            parts.pop()
        return ":".join("" if part is None else str(_integer(part)) for part in parts)
    return str(_integer(index))


def _integer(value: Any) -> int:
    if isinstance(value, (bool, np.bool_)):
        raise InvalidArgumentError("a mask takes elements here and there: read the tensor and index the array")
    try:
        return value.__index__()
    except AttributeError:
        kind = type(value).__name__
        raise InvalidArgumentError(f"integers, slices and an ellipsis take a part of a tensor, not {kind}") from None


class Checkpoint(Mapping):
    """An open checkpoint: a mapping of names to arrays, which are read when they are asked for.

    Whole tensors are compared with their checksums while they are read; a part of one cannot be.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        step: int | None = None,
        version: int | None = None,
        threads: int | None = None,
    ) -> None:
        self._reader = Reader(os.fspath(path), step, version, threads)

    def __getitem__(self, name: str | bytes) -> Any:
        return self.read(name)

    def __iter__(self) -> Iterator[str | bytes]:
        return (name for name, *_ in self._reader.headers())

    def __len__(self) -> int:
        return len(self._reader)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, (str, bytes)) and self._reader.header(_key(name)) is not None

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *_: object) -> None:
        """Files are closed with the object; nothing is to be done."""

    def __repr__(self) -> str:
        return f"<tfckpt.Checkpoint {str(self.prefix)!r}: {len(self)} tensors, {self.format}>"

    def _repr_html_(self) -> str:
        rows = self.tensors()
        cells = "".join(
            f"<tr><td style='text-align:left'>{html.escape(_shown(row.name))}</td><td>{html.escape(row.dtype)}</td>"
            f"<td>{_shape(row.shape)}</td><td>{_size(row.nbytes)}</td></tr>"
            for row in rows[:_ROWS]
        )
        more = f"<p>… {len(rows) - _ROWS:,} more</p>" if len(rows) > _ROWS else ""
        total = sum(row.nbytes or 0 for row in rows)
        return (
            f"<p><b>{html.escape(str(self.prefix))}</b> ({html.escape(self.format)}): {len(rows):,} tensors, "
            f"{_size(total)}</p><table><thead><tr><th style='text-align:left'>name</th><th>dtype</th><th>shape</th>"
            f"<th>size</th></tr></thead><tbody>{cells}</tbody></table>{more}"
        )

    @property
    def prefix(self) -> os.PathLike[str]:
        """Where it was found: the prefix of the checkpoint, or its only file."""
        return self._reader.prefix()

    @property
    def format(self) -> str:
        """What it is stored as: ``bundle-v2``, ``safetensors``, ..."""
        return self._reader.format()

    @property
    def notes(self) -> list[str]:
        """How it was chosen, and what is odd about it."""
        return self._reader.notes()

    @property
    def damage(self) -> list[str]:
        """What could not be read of the index. If there is anything, tensors may be missing."""
        return self._reader.damage()

    def tensors(self) -> list[TensorInfo]:
        """All tensors, by name."""
        return [_info(header) for header in self._reader.headers()]

    def info(self, name: str | bytes) -> TensorInfo:
        """What is known of one tensor before it is read.

        Raises:
            NotFoundError: No tensor has this name.
        """
        header = self._reader.header(_key(name))
        if header is None:
            raise NotFoundError(f"Key {_shown(name)} not found in checkpoint")
        return _info(header)

    def read(self, name: str | bytes, slices: Any = None) -> Any:
        """The values of a tensor, or of the part that ``slices`` takes of it.

        Args:
            name: The tensor.
            slices: What would stand between the brackets of an array, or the same as text: ``np.s_[330:336, :4]``,
                ``"330:336, :4"``. Only these rows are read, and they are not compared with a checksum. Steps are
                positive.

        Returns:
            An array; of a scalar, one of NumPy's scalars, or ``bytes`` of a string.

        Raises:
            NotFoundError: No tensor has this name.
            DataLossError: Its bytes cannot be read, or are not what was saved.
            InvalidArgumentError: The slice does not fit.
        """
        key, info = _key(name), self.info(name)
        index = None
        if isinstance(slices, str):
            index = slices.strip().removeprefix("[").removesuffix("]")
        elif slices is not None:
            index = ", ".join(_dim(part) for part in (slices if isinstance(slices, tuple) else (slices,)))
        if index == "":
            index = None
        dtype = numpy_dtype(info.dtype)
        shape = tuple(self._reader.shape_of(key, "..." if index is None else index))
        if dtype == np.object_:
            strings = np.empty(shape, dtype=np.object_)
            strings.reshape(-1)[:] = self._reader.read_strings(key, index)
            return strings[()]
        array = np.empty(shape, dtype=dtype)
        # The elements are read into the array's own memory, as the bytes that they are.
        self._reader.read_into(key, array.reshape(-1).view(np.uint8), index)
        if not np.little_endian:
            array.byteswap(inplace=True)
        return array[()]


def open(
    path: str | os.PathLike[str],
    *,
    step: int | None = None,
    version: int | None = None,
    threads: int | None = None,
) -> Checkpoint:
    """Opens what a path leads to: a prefix, any file of the set, a directory, a SavedModel, a file of weights.

    Args:
        path: Where.
        step: The checkpoint of this step in a directory, instead of the latest.
        version: This version of a TensorFlow Serving directory, instead of the highest.
        threads: Worker threads; all cores if not given.

    Raises:
        NotFoundError: Nothing is there.
        DataLossError: What is there is no checkpoint, or nothing of its index can be read.
    """
    return Checkpoint(path, step=step, version=version, threads=threads)


def _info(header: tuple) -> TensorInfo:
    name, dtype, shape, nbytes = header
    return TensorInfo(name, dtype, None if shape is None else tuple(shape), nbytes)


def _shown(name: str | bytes) -> str:
    return name if isinstance(name, str) else repr(name)


def _shape(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "?"
    return "×".join(str(dim) for dim in shape) or "scalar"


def _size(nbytes: int | None) -> str:
    if nbytes is None:
        return "?"
    size = float(nbytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"
