"""What can go wrong, named as TensorFlow names it (``tf.errors``)."""


class OpError(Exception):
    """The base of all errors of this package."""

    def __str__(self) -> str:
        # A KeyError would show its message as it is written in code.
        return self.message

    @property
    def message(self) -> str:
        """What went wrong, where, and what to do."""
        return str(self.args[0]) if self.args else ""


class NotFoundError(OpError, KeyError):
    """There is no such tensor, or nothing at the path."""


class DataLossError(OpError):
    """Bytes are not what was saved, or the file is no checkpoint."""


class InvalidArgumentError(OpError, ValueError):
    """A request that cannot be carried out as worded: a slice, a selector, an option."""


class UnimplementedError(OpError):
    """Elements of a dtype that cannot be decoded."""


class InternalError(OpError):
    """A dtype that NumPy has no form for, such as ``variant``."""


class PermissionDeniedError(OpError, PermissionError):
    """The operating system refused."""

    __str__ = OpError.__str__


class ResourceExhaustedError(OpError):
    """A number in a file is larger than this reader allows."""
