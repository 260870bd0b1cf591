"""Raises real error messages of TensorFlow, Keras, h5py, safetensors and NumPy, each from a planted cause.

    PYTHON=/some/venv/bin/python ../../make_all.sh explain/messages

Writes messages.json: what the programs said, word for word, but for the paths of this machine, and expected.json: the
cause that was planted and facts that an answer must quote. Every case runs in a process and an empty directory of its own.
"""

import json
import multiprocessing
import os
import re
import sys
import tempfile
import traceback

import cases
import files
import keras_files
import names
import objects
import other
import saved_models

HERE = os.path.dirname(os.path.abspath(__file__))


def told(error):
    """The chain of exceptions as Python prints it, without its frames."""
    links = []
    while error is not None:
        lines = "".join(traceback.format_exception_only(type(error), error)).rstrip("\n")
        if error.__cause__ is not None:
            links += [lines, "\n\nThe above exception was the direct cause of the following exception:\n\n"]
            error = error.__cause__
        elif error.__context__ is not None and not error.__suppress_context__:
            links += [lines, "\n\nDuring handling of the above exception, another exception occurred:\n\n"]
            error = error.__context__
        else:
            links.append(lines)
            error = None
    return "".join(reversed(links))


def run(index, work, out):
    case = cases.CASES[index]
    os.chdir(work)
    log = os.open("stderr.log", os.O_RDWR | os.O_CREAT)
    os.dup2(log, 2)
    sys.stderr = os.fdopen(2, "w", buffering=1)
    text = None
    try:
        case["run"]()
    except BaseException as error:  # what is raised is what is wanted
        text = told(error)
    if case["stderr"]:
        import gc

        case.pop("run")
        gc.collect()
        sys.stderr.flush()
        with open("stderr.log", encoding="utf-8", errors="replace") as opened:
            logged = opened.read()
        noise = re.compile(r"^(WARNING: All log messages before|[IWE]\d{4} .*(cuda|computation_placer|TensorRT|oneDNN)|.*(cuda|oneDNN|cpu_feature_guard).*)")
        logged = "\n".join(line for line in logged.splitlines() if not noise.match(line))
        text = logged + (("\n" + text) if text else "")
    with open(out, "w", encoding="utf-8") as opened:
        json.dump(text, opened)


def anonymous(text, work):
    """Without what only this machine or this run has."""
    text = text.replace(work + "/", "").replace(work, ".")
    text = re.sub(r"(/[^\s'\"]*)?/site-packages/", "site-packages/", text)
    text = re.sub(r" at 0x[0-9a-f]+", " at 0x7f0000000000", text)
    text = re.sub(r"tempstate\d+", "tempstate1234567890", text)
    text = re.sub(r"_temp_[0-9a-f]{32}", "_temp_" + "0" * 32, text)
    # Of the frames that TensorFlow puts into its messages two are enough.
    text = re.sub(r'File "[^"]*/messages/', 'File "', text)
    text = re.sub(r'((?:^[ \t]+File "[^\n]*\n){2})(?:^[ \t]+File "[^\n]*\n)+', r"\1", text, flags=re.M)
    # A host's name stands in "Op type not registered".
    return re.sub(r"in binary running on \S+?\. ", "in binary running on host. ", text)


def wanted(case):
    return {"cause": case["cause"], "must": case["must"]}


def write(file, content):
    with open(os.path.join(HERE, file), "w", encoding="utf-8") as opened:
        json.dump(content, opened, indent=1, ensure_ascii=False, sort_keys=True)
        opened.write("\n")


def main():
    only = sys.argv[1:]
    if only == ["--expected"]:
        # The causes alone, of messages that are there.
        with open(os.path.join(HERE, "messages.json"), encoding="utf-8") as opened:
            there = json.load(opened)["messages"]
        write("expected.json", {"cases": {c["name"]: wanted(c) for c in cases.CASES if c["name"] in there}})
        return
    messages, expected = {}, {}
    context = multiprocessing.get_context("fork")
    for index, case in enumerate(cases.CASES):
        if only and case["name"] not in only:
            continue
        with tempfile.TemporaryDirectory() as work:
            work = os.path.realpath(work)
            out = os.path.join(work, "..", os.path.basename(work) + ".json")
            process = context.Process(target=run, args=(index, work, out))
            process.start()
            process.join(300)
            try:
                with open(out, encoding="utf-8") as opened:
                    text = json.load(opened)
                os.remove(out)
            except OSError:
                text = None
        if text is None or not text.strip():
            print("NOTHING WAS SAID", case["name"], process.exitcode, file=sys.stderr)
            continue
        messages[case["name"]] = anonymous(text, work).strip("\n")
        expected[case["name"]] = wanted(case)
        if only:
            print(f"=== {case['name']} ({case['cause']})\n{messages[case['name']]}\n")
    if only:
        return
    names_seen = [case["name"] for case in cases.CASES]
    assert len(set(names_seen)) == len(names_seen), "two cases of one name"
    from importlib.metadata import version

    programs = {name: version(name) for name in ["tensorflow_cpu", "keras", "tf_keras", "h5py", "safetensors", "numpy"]}
    write("messages.json", {"programs": programs, "messages": messages})
    write("expected.json", {"cases": expected})
    print(len(messages), "messages")


if __name__ == "__main__":
    main()
