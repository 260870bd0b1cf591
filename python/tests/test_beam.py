"""Pipelines on Beam's local runner: the report is that of one process, also where processes are killed."""

import os
import stat
import subprocess
import sys

import pytest

pytest.importorskip("apache_beam")

from tfckpt import beam  # noqa: E402

TESTDATA = os.path.join(os.path.dirname(__file__), "..", "..", "testdata")
MODEL = os.path.join(TESTDATA, "saver_v2", "sharded_adam")
LOCAL = ["--direct_running_mode", "multi_processing", "--direct_num_workers", "2"]


def one(*arguments):
    done = subprocess.run([beam.ckpt(), *arguments], capture_output=True)
    return done.returncode, done.stdout


@pytest.mark.parametrize("arguments", [["validate", MODEL], ["stats", MODEL, "--format", "csv"], ["diff", MODEL, MODEL, "--exact"]])
def test_the_report_is_that_of_one_process(arguments, tmp_path):
    report = tmp_path / "report"
    status = beam.main([*arguments, "--parts", "3", "-o", str(report)])
    assert (status, report.read_bytes()) == one(*arguments)


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the command")
@pytest.mark.parametrize("whom", ["$$", "$PPID"])
def test_what_is_killed_changes_nothing(whom, tmp_path, monkeypatch):
    # The first process kills itself, or the worker that started it.
    script = tmp_path / "ckpt"
    killed = tmp_path / "killed"
    script.write_text(f"#!/bin/sh\nif mkdir {killed} 2>/dev/null; then kill -9 {whom}; fi\nexec {beam.ckpt()} \"$@\"\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    wanted = one("validate", MODEL)
    monkeypatch.setenv("CKPT", str(script))
    report = tmp_path / "report"
    status = beam.main(["validate", MODEL, "--parts", "3", "-o", str(report), *LOCAL])
    assert killed.exists()
    assert (status, report.read_bytes()) == wanted


def test_what_cannot_be_read_is_an_error_and_leaves_no_report(tmp_path):
    report = tmp_path / "report"
    with pytest.raises(Exception, match="no such file"):
        beam.main(["validate", str(tmp_path / "nothing"), "--parts", "2", "-o", str(report)])
    assert not report.exists()


def test_options_are_the_commands_or_beams():
    question, output, own = beam.parse(
        ["diff", "a", "b", "--parts", "4", "-o", "r", "--runner", "DirectRunner", "--format", "json", "-l", "--", "--label", "A=x"]
    )
    assert question.arguments == ["--threads", "1", "a", "b", "-l", "--label", "A=x"]
    assert (question.look, question.parts, output, own) == (["--format", "json"], 4, "r", ["--runner", "DirectRunner"])
