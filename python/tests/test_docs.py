"""The examples of the pages run as they stand there."""

import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["docs/python.md", "python/README.md", "README.md"]
#: What the pages call other people's files, and what stands there in the tests.
STAND_INS = {
    "train": "model_dir/run",
    "export": "saved_model/tf2/model",
    "model.keras": "keras/keras3/model.keras",
}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, tmp_path, monkeypatch):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    os.symlink(ROOT / "testdata", tmp_path / "testdata")
    for name, stands_for in STAND_INS.items():
        os.symlink(ROOT / "testdata" / stands_for, tmp_path / name)
    for step in (100, 200):
        for file in (ROOT / "testdata/saver_v2/sharded_adam").glob("model.ckpt-200.*"):
            os.symlink(file, tmp_path / file.name.replace("200", str(step)))
    monkeypatch.chdir(tmp_path)
    # One after the other, as one types them.
    names: dict = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
