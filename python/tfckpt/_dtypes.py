"""NumPy's types for TensorFlow's."""

import numpy as np

from .errors import InternalError, UnimplementedError

#: Types that NumPy has, by TensorFlow's names. Quantized ones are their integers, as in TensorFlow itself.
_NUMPY = {
    "bool": np.bool_,
    "int8": np.int8,
    "int16": np.int16,
    "int32": np.int32,
    "int64": np.int64,
    "uint8": np.uint8,
    "uint16": np.uint16,
    "uint32": np.uint32,
    "uint64": np.uint64,
    "float16": np.float16,
    "float32": np.float32,
    "float64": np.float64,
    "complex64": np.complex64,
    "complex128": np.complex128,
    "qint8": np.int8,
    "qint16": np.int16,
    "qint32": np.int32,
    "quint8": np.uint8,
    "quint16": np.uint16,
    "string": np.object_,
}

#: Types that the package ``ml_dtypes`` adds.
_ML_DTYPES = {
    "bfloat16",
    "float8_e4m3fn",
    "float8_e4m3fnuz",
    "float8_e4m3b11fnuz",
    "float8_e5m2",
    "float8_e5m2fnuz",
    "float4_e2m1fn",
    "int2",
    "int4",
    "uint2",
    "uint4",
}


def numpy_dtype(name: str) -> np.dtype:
    """The type of arrays of a TensorFlow dtype; strings are objects of ``bytes``."""
    known = _NUMPY.get(name)
    if known is not None:
        return np.dtype(known)
    if name in _ML_DTYPES:
        try:
            import ml_dtypes
        except ImportError:
            raise UnimplementedError(f"arrays of {name} need the package ml_dtypes: pip install ml_dtypes") from None
        try:
            return np.dtype(getattr(ml_dtypes, name))
        except AttributeError:
            raise UnimplementedError(f"this version of ml_dtypes has no {name}: pip install -U ml_dtypes") from None
    raise InternalError(f"dtype {name} has no form in NumPy")
