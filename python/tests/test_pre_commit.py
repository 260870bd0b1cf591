"""The hook of pre-commit: which checks files make, and how they end."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfckpt.pre_commit import FILES, checkpoint_of

FIXTURES = Path(__file__).resolve().parents[2] / "testdata"


def hook(folder, *arguments):
    run = [sys.executable, "-m", "tfckpt.pre_commit", *arguments]
    return subprocess.run(run, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def project(tmp_path):
    """A checkpoint, one that is damaged, a SavedModel, and a file of Keras."""
    shutil.copytree(FIXTURES / "saver_v2/plain", tmp_path / "good")
    shutil.copytree(FIXTURES / "saver_v2/plain", tmp_path / "bad")
    shard = tmp_path / "bad/model.ckpt-7.data-00000-of-00001"
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    shutil.copytree(FIXTURES / "saved_model/tf2/model", tmp_path / "export")
    shutil.copy(FIXTURES / "keras/keras3/model.keras", tmp_path)
    return tmp_path


def test_files_that_belong_together_are_one_check(project, monkeypatch):
    monkeypatch.chdir(project)
    for file, checkpoint in [
        ("good/model.ckpt-7.index", "good/model.ckpt-7"),
        ("good/model.ckpt-7.data-00000-of-00001", "good/model.ckpt-7"),
        ("model.index", "model"),
        ("export/saved_model.pb", "export"),
        ("saved_model.pb", "."),
        ("export/variables/variables.index", "export"),
        ("export/variables/variables.data-00000-of-00001", "export"),
        ("other/variables/variables.index", "other/variables/variables"),
        ("model.keras", "model.keras"),
        ("x-00001-of-00002.safetensors", "x-00001-of-00002.safetensors"),
    ]:
        assert FILES.search(file)
        assert Path(checkpoint_of(file)) == Path(checkpoint), file
    (project / "x.safetensors.index.json").write_text("{}")
    assert checkpoint_of("x-00001-of-00002.safetensors") == "x.safetensors.index.json"


def test_each_checkpoint_is_checked_once_and_the_worst_counts(project):
    good = ["good/model.ckpt-7.data-00000-of-00001", "good/model.ckpt-7.index", "model.keras"]
    done = hook(project, *good, "export/saved_model.pb", "export/variables/variables.index")
    assert done.returncode == 0, done
    assert len(done.stdout.splitlines()) == 3, done.stdout
    done = hook(project, *good, "bad/model.ckpt-7.index")
    assert done.returncode == 1 and "single-bit-flip" in done.stdout
    assert hook(project, "--quick", "bad/model.ckpt-7.index").returncode == 0
    assert hook(project, "--warn", "single-bit-flip", "bad/model.ckpt-7.index").returncode == 0
    assert hook(project, "none.index", "bad/model.ckpt-7.index").returncode == 2
    assert hook(project).returncode == 0


def test_the_policy_of_the_project_is_followed(project):
    rule = "[[rule]]\nallow = 'single-bit-flip'\npaths = 'bad'\nreason = 'known'\n"
    (project / "ckpt.toml").write_text(rule)
    done = hook(project, "bad/model.ckpt-7.index")
    assert done.returncode == 0 and "1 finding allowed by ckpt.toml" in done.stdout
    assert hook(project, "--no-config", "bad/model.ckpt-7.index").returncode == 1
