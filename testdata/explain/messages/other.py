"""What safetensors, NumPy, zipfile and TensorFlow.js' converter say of files."""

import os

from cases import HTML, LFS, case, edit


def tensors():
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"layer.0.weight": np.ones((40, 30), np.float32), "layer.0.bias": np.ones(40, np.float32)}, "model.safetensors")


def opened(name="model.safetensors"):
    from safetensors import safe_open

    return safe_open(name, "np")


@case("safetensors-missing", "no-such-file", "weights/model.safetensors")
def _():
    opened("weights/model.safetensors")


@case("safetensors-cut", "bad-safetensors")
def _():
    tensors()
    edit("model.safetensors", lambda bytes: bytes[:2000])
    opened()


@case("safetensors-header-cut", "bad-safetensors")
def _():
    tensors()
    edit("model.safetensors", lambda bytes: bytes[:40])
    opened()


@case("safetensors-is-a-pointer", "bad-safetensors", "Git LFS")
def _():
    edit_new("model.safetensors", LFS)
    opened()


@case("safetensors-is-a-web-page", "bad-safetensors", "web page")
def _():
    edit_new("model.safetensors", HTML)
    opened()


@case("safetensors-is-empty", "bad-safetensors")
def _():
    edit_new("model.safetensors", b"")
    opened()


@case("safetensors-without-that-tensor", "restore-missing", "layer.9.weight")
def _():
    tensors()
    opened().get_tensor("layer.9.weight")


def edit_new(file, content):
    with open(file, "wb") as out:
        out.write(content)


@case("numpy-is-a-pointer", "not-numpy")
def _():
    import numpy as np

    edit_new("w.npy", LFS)
    np.load("w.npy")


@case("numpy-cut", "cut-numpy")
def _():
    import numpy as np

    np.save("w.npy", np.ones((50, 50)))
    edit("w.npy", lambda bytes: bytes[:5000])
    np.load("w.npy")


@case("numpy-is-empty", "cut-numpy")
def _():
    import numpy as np

    edit_new("w.npy", b"")
    np.load("w.npy")


@case("npz-cut", "bad-zip")
def _():
    import numpy as np

    np.savez("w.npz", a=np.ones((50, 50)), b=np.ones(3))
    edit("w.npz", lambda bytes: bytes[:5000])
    np.load("w.npz")["a"]


@case("npz-without-that-array", "restore-missing", "encoder/kernel")
def _():
    import numpy as np

    np.savez("w.npz", a=np.ones(3))
    np.load("w.npz")["encoder/kernel"]


@case("npz-damaged", "bad-zip", "a.npy")
def _():
    import numpy as np

    np.savez("w.npz", a=np.ones((50, 50)))

    def change(bytes):
        bytes[3000:3008] = b"xxxxxxxx"
        return bytes

    edit("w.npz", change)
    np.load("w.npz")["a"]
