"""What the package promises by itself."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tfckpt

TESTDATA = Path(__file__).resolve().parents[2] / "testdata"
PLAIN = TESTDATA / "saver_v2/plain"


def test_a_checkpoint_is_a_mapping():
    checkpoint = tfckpt.open(PLAIN)
    names = list(checkpoint)
    assert len(checkpoint) == len(names) and names == sorted(names)
    assert "global_step" in checkpoint and "nope" not in checkpoint and 7 not in checkpoint
    assert checkpoint["global_step"] == 7 and isinstance(checkpoint["global_step"], np.int64)
    assert {name: array.shape for name, array in checkpoint.items()} == {
        info.name: info.shape for info in checkpoint.tensors()
    }
    with pytest.raises(KeyError):
        checkpoint["nope"]
    assert checkpoint.get("nope") is None


def test_a_part_is_what_numpy_takes():
    checkpoint = tfckpt.open(PLAIN)
    whole = checkpoint["layer/kernel"]
    for index in [np.s_[1], np.s_[-1], np.s_[1:3], np.s_[..., 0], np.s_[::2, 1], np.s_[3:1], np.s_[1:, -1:]]:
        part = checkpoint.read("layer/kernel", index)
        assert part.dtype == whole.dtype and np.array_equal(part, whole[index]), index
    assert np.array_equal(checkpoint.read("layer/kernel", "[1:3, :1]"), whole[1:3, :1])
    for wrong in [np.s_[9], np.s_[0, 0, 0], "x", np.s_[[1, 2]], np.s_[::-1], True]:
        with pytest.raises(tfckpt.errors.InvalidArgumentError):
            checkpoint.read("layer/kernel", wrong)


def test_slices_of_partitioned_variables_are_one_array():
    checkpoint = tfckpt.open(TESTDATA / "saver_v2/sharded_adam")
    for name in checkpoint:
        whole = checkpoint[name]
        if whole.ndim and len(whole) > 1:
            assert np.array_equal(checkpoint.read(name, np.s_[1:]), whole[1:]), name


def test_documents_are_those_of_the_command():
    command = shutil.which("ckpt", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("the command is not beside this Python")

    def run(*arguments):
        done = subprocess.run([command, *arguments, "--format", "json"], capture_output=True, text=True)
        return json.loads(done.stdout)

    plain, other = str(PLAIN), str(TESTDATA / "saver_v2/sharded_adam")
    assert tfckpt.inspect(plain) == run("inspect", plain)
    assert tfckpt.tensors(plain, "layer/**") == run("list", plain, "layer/**")
    assert tfckpt.stats(plain) == run("stats", plain)
    assert tfckpt.validate(plain) == run("validate", plain)
    assert tfckpt.diff(plain, other) == run("diff", plain, other)
    assert tfckpt.diff(plain, other, spectral=True) == run("diff", plain, other, "--spectral")


def test_wrong_bytes_are_an_error(tmp_path):
    for file in PLAIN.glob("model.ckpt-7.*"):
        shutil.copy(file, tmp_path)
    shard = tmp_path / "model.ckpt-7.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[-1] ^= 1
    shard.write_bytes(data)
    checkpoint = tfckpt.open(tmp_path / "model.ckpt-7")
    bad = []
    for name in checkpoint:
        try:
            checkpoint[name]
        except tfckpt.errors.DataLossError as error:
            assert name in str(error) and "model.ckpt-7.data" in str(error)
            bad.append(name)
    assert len(bad) == 1
    assert not tfckpt.validate(tmp_path / "model.ckpt-7")["ok"]


def test_what_is_no_checkpoint_says_what_it_is(tmp_path):
    with pytest.raises(tfckpt.errors.NotFoundError):
        tfckpt.open(tmp_path / "nothing")
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    with pytest.raises(tfckpt.errors.DataLossError):
        tfckpt.open(text)


def test_a_notebook_shows_a_table():
    checkpoint = tfckpt.open(PLAIN)
    assert "<table>" in checkpoint._repr_html_() and "layer/kernel" in checkpoint._repr_html_()
    assert "tensors" in repr(checkpoint)


def test_files_of_other_formats_open_alike(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.arange(6).reshape(2, 3), b=np.float32(2.5))
    checkpoint = tfckpt.open(tmp_path / "w.npz")
    assert np.array_equal(checkpoint["a"], np.arange(6).reshape(2, 3)) and checkpoint["b"] == np.float32(2.5)
    assert np.array_equal(checkpoint.read("a", np.s_[:, 1]), [1, 4])
