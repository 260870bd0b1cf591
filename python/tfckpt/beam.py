"""Checks, figures and comparisons of large checkpoints on Apache Beam, on whatever runner there is.

    python -m tfckpt.beam validate|stats|diff PATH… --parts N -o REPORT [OPTION…]

The report is byte for byte that of ``ckpt validate``, ``stats`` or ``diff``, and so is the exit status. The bytes are
read in N equal parts, by as many workers as the runner has; tensors of any size are cut. Options are those of the
command, ``--format`` among them, and those of Beam (``--runner``, ``--project``, ``--direct_num_workers``, …); where
both have one of a name, it is Beam's, and what stands behind ``--`` is the command's in any case.

Without ``--runner`` it runs on this machine. Workers need the command (it is in the wheel of this package) and the
checkpoint under the same path. Each part is read by one thread unless ``--threads`` says more, because runners start a
worker on every core. A part that fails is tried again; a runner that repeats work does no harm.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from typing import NamedTuple

import apache_beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions

COMMANDS = ("validate", "stats", "diff")
ATTEMPTS = 3
# What errors begin with that the command says: trying again would say the same.
SAID = "ckpt:"
# Runners of this machine, by their names.
LOCAL = (None, "DirectRunner", "FnApiRunner", "SwitchingDirectRunner", "BundleBasedDirectRunner", "PrismRunner")
# Options of the command that say how an answer looks: merging wants them, reading does not.
OF_THE_REPORT = ("--format", "--color")


class Question(NamedTuple):
    """What is asked: the command, what stands behind it, and how the answer looks."""

    command: str
    arguments: list[str]
    look: list[str]
    parts: int
    # A folder of this machine where parts are kept that have been read, if the runner is of this machine.
    kept: str | None = None


def ckpt() -> str:
    """The command that was installed with this package, or else the one on the path."""
    own = shutil.which("ckpt", path=sysconfig.get_path("scripts"))
    found = os.environ.get("CKPT") or own or shutil.which("ckpt")
    if found is None:
        raise FileNotFoundError("the command ckpt is not installed: it is in the wheel of tfckpt")
    return found


def run_part(question: Question, number: int) -> bytes:
    """Reads one part and returns what it came to; a process that is killed is started again."""
    kept = os.path.join(question.kept, str(number)) if question.kept else None
    if kept and os.path.exists(kept):
        with open(kept, "rb") as file:
            return file.read()
    share = ["--part", f"{number}/{question.parts}", "--format", "part", "--quiet"]
    # Options stand before the paths: behind `--` nothing is one.
    line = [ckpt(), question.command, *share, *question.arguments]
    said = ""
    for _ in range(ATTEMPTS):
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode == 0:
            part = gzip.compress(done.stdout, 1)
            if kept:
                with open(f"{kept}.{os.getpid()}", "wb") as file:
                    file.write(part)
                os.replace(file.name, kept)
            return part
        said = done.stderr.decode(errors="replace").strip()
        if done.returncode > 0:
            # It says why; another time it would say the same.
            break
        said = said or f"killed by signal {-done.returncode}, {ATTEMPTS} times"
    raise RuntimeError(f"{SAID} part {number} of {question.parts}: {said}")


class Merged(NamedTuple):
    """What one process would have printed, and its exit status."""

    status: int
    report: bytes
    messages: str


def merge(question: Question, parts: list[bytes]) -> Merged:
    """Makes one report of all parts."""
    with tempfile.TemporaryDirectory(prefix="ckpt-parts-") as folder:
        for at, part in enumerate(parts):
            with open(os.path.join(folder, f"{at}.part"), "wb") as file:
                file.write(gzip.decompress(part))
        done = subprocess.run(
            [ckpt(), "merge", *question.look, folder], stdin=subprocess.DEVNULL, capture_output=True
        )
        return Merged(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def write(output: str, merged: Merged) -> Merged:
    """Writes the report, whole or not at all as far as the file system can."""
    if not merged.report and merged.status > 1:
        raise RuntimeError(f"{SAID} {merged.messages.strip() or 'the parts could not be merged'}")
    aside = f"{output}.tmp-{os.getpid()}"
    with FileSystems.create(aside, compression_type="uncompressed") as file:
        file.write(merged.report)
    if FileSystems.exists(output):
        FileSystems.delete([output])
    FileSystems.rename([aside], [output])
    # The exit status goes to whoever waits for the pipeline.
    Metrics.distribution("tfckpt", "status").update(merged.status)
    return merged


def pipeline(root: apache_beam.Pipeline, question: Question, output: str) -> apache_beam.PCollection:
    """Parts are made, read wherever there is room, gathered, and merged once."""
    return (
        root
        | "Parts" >> apache_beam.Create(range(1, question.parts + 1))
        | "Spread" >> apache_beam.Reshuffle()
        | "Read" >> apache_beam.Map(lambda number, asked: run_part(asked, number), question)
        | "Gather" >> apache_beam.combiners.ToList()
        | "Merge" >> apache_beam.Map(lambda parts, asked: merge(asked, parts), question)
        | "Write" >> apache_beam.Map(lambda merged, path: write(path, merged), output)
    )


def beam_options(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options of Beam among some arguments, and what is left."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, argument_default=argparse.SUPPRESS)
    for options in PipelineOptions.__subclasses__():
        add = getattr(options, "_add_argparse_args", None)
        if add:
            try:
                add(parser)
            except argparse.ArgumentError:
                # Two kinds of options that know one name: the first one has it.
                continue
    left = parser.parse_known_args(arguments)[1]
    rest, own = list(left), []
    for argument in arguments:
        if rest and argument == rest[0]:
            rest.pop(0)
        else:
            own.append(argument)
    return own, left


def parse(arguments: list[str]) -> tuple[Question, str, list[str]]:
    """The question, where the answer goes, and the options of Beam."""
    parser = argparse.ArgumentParser(
        prog="python -m tfckpt.beam",
        description="Runs ckpt on Apache Beam; the report is that of one process.",
        epilog="Other options are those of the command, and those of Beam: --runner, --direct_num_workers, …",
        allow_abbrev=False,
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--parts", type=int, required=True, metavar="N", help="how many parts the bytes are cut into")
    parser.add_argument("-o", "--output", required=True, metavar="REPORT", help="where the report is written")
    at = arguments.index("--") if "--" in arguments else len(arguments)
    known, rest = parser.parse_known_args(arguments[:at])
    if known.parts < 1:
        parser.error("--parts: there is at least one")
    own, left = beam_options(rest)
    look, asked = [], []
    words = iter(left)
    for word in words:
        if word in OF_THE_REPORT:
            look += [word, next(words, "")]
        elif word.startswith(tuple(f"{name}=" for name in OF_THE_REPORT)):
            look.append(word)
        elif word in ("-q", "--quiet"):
            look.append(word)
        else:
            asked.append(word)
    if not any(word == "--threads" or word.startswith("--threads=") for word in asked):
        asked = ["--threads", "1", *asked]
    return Question(known.command, asked + arguments[at + 1 :], look, known.parts), known.output, own


def main(arguments: list[str] | None = None) -> int:
    """Runs the pipeline, waits for it, and returns the exit status of the command."""
    question, output, options = parse(sys.argv[1:] if arguments is None else arguments)
    runner = PipelineOptions(options).get_all_options().get("runner")
    if runner not in LOCAL:
        # It tries again itself what fails.
        return run(question, output, options)
    with tempfile.TemporaryDirectory(prefix="ckpt-kept-") as kept:
        for left in reversed(range(ATTEMPTS)):
            try:
                return run(question._replace(kept=kept), output, options)
            except Exception as error:
                # The local runner ends with the first worker that is killed; what was read is not read again.
                if left == 0 or isinstance(error, KeyboardInterrupt) or SAID in str(error):
                    raise
    raise AssertionError("the last attempt returns or raises")


def run(question: Question, output: str, options: list[str]) -> int:
    """Runs the pipeline once."""
    root = apache_beam.Pipeline(options=PipelineOptions(options))
    pipeline(root, question, output)
    result = root.run()
    result.wait_until_finish()
    found = result.metrics().query(MetricsFilter().with_namespace("tfckpt"))["distributions"]
    statuses = [one.result.max for one in found if one.result and one.result.max is not None]
    return int(max(statuses, default=0))


if __name__ == "__main__":
    # By its name, so that workers find it in their own package.
    from tfckpt.beam import SAID, main

    try:
        sys.exit(main())
    except Exception as error:
        # Runners put tracebacks of workers into their errors; what the command said is one line of them.
        lines = str(error).strip().splitlines() or [repr(error)]
        said = [line[line.index(SAID) :] for line in lines if SAID in line]
        print(f"error: {(said or lines)[-1 if said else 0]}", file=sys.stderr)
        sys.exit(2)
