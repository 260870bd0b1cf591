"""The hook of pre-commit: checks the checkpoints that files belong to, each of them once.

    python -m tfckpt.pre_commit [OPTION…] FILE…

Options are those of ``ckpt validate``; one with a value that looks like a file to check is written as ``--option=value``.
The command follows ``ckpt.toml``. The exit status is the highest of all checks.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig

FILES = re.compile(
    r"(\.index|\.data-[0-9]{5}-of-[0-9]{5}|\.h5|\.hdf5|\.keras|\.safetensors|\.safetensors\.index\.json|\.npz|(^|[/\\])saved_model\.pb)$"
)


def checkpoint_of(file: str) -> str:
    """What to check so that a file is checked with all that belongs to it: a prefix, a directory, or a file."""
    folder, name = os.path.split(file)
    if name == "saved_model.pb":
        return folder or "."
    member = re.fullmatch(r"(.*)(\.index|\.data-[0-9]{5}-of-[0-9]{5})", name, re.DOTALL)
    if member:
        model = os.path.dirname(folder)
        if os.path.basename(folder) == "variables" and os.path.exists(os.path.join(model, "saved_model.pb")):
            return model or "."
        return os.path.join(folder, member[1])
    part = re.fullmatch(r"(.*)-[0-9]+-of-[0-9]+\.safetensors", name, re.DOTALL)
    if part:
        index = os.path.join(folder, f"{part[1]}.safetensors.index.json")
        if os.path.exists(index):
            return index
    return file


def command() -> str:
    """The command that was installed with this package, or else the one on the path."""
    own = shutil.which("ckpt", path=sysconfig.get_path("scripts"))
    found = own or shutil.which("ckpt")
    if found is None:
        sys.exit("the command ckpt is not installed: it is in the wheel of tfckpt")
    return found


def main(arguments: list[str]) -> int:
    first = next((n for n, one in enumerate(arguments) if not one.startswith("-") and FILES.search(one)), len(arguments))
    options, files = arguments[:first], arguments[first:]
    ckpt, status = command(), 0
    for checkpoint in dict.fromkeys(map(checkpoint_of, files)):
        sys.stdout.flush()
        status = max(status, subprocess.run([ckpt, "validate", *options, "--", checkpoint]).returncode)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
