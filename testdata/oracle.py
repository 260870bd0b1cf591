"""What TensorFlow reads from a checkpoint, written to expected.json.

Imported by every make.py; see README.md for the shape of expected.json.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf

SUB_BYTE = ("int4", "uint4", "int2", "uint2", "float4_e2m1fn")
KEPT = ("make.py", "README.md")
MAX_RAW = 64 * 1024


def enter(file):
    """Makes the directory of `file` current and empties it of everything that make.py makes."""
    here = pathlib.Path(file).resolve().parent
    os.chdir(here)
    for path in here.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def b64(data):
    return base64.b64encode(data).decode("ascii")


def text(data):
    """A str, or {"base64": …} for bytes that are not UTF-8."""
    if isinstance(data, str):
        return data
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": b64(data)}


def save(prefix, tensors, slices=None):
    """SaveV2 of {name: tensor}, in that order."""
    os.makedirs(os.path.dirname(prefix) or ".", exist_ok=True)
    names = list(tensors)
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=names, tensors=[tf.convert_to_tensor(t) for t in tensors.values()],
                      shape_and_slices=slices or [""] * len(names))


def tiny(prefix, value, step=None):
    """A checkpoint of a few bytes: what the model_dir cases are made of."""
    tensors = {"w": np.full([2, 3], value, np.float32)}
    if step is not None:
        tensors["global_step"] = np.int64(step)
    save(prefix, tensors)


def restore(prefix, name, dtype, spec=""):
    """RestoreV2 of one tensor; raises what TensorFlow raises."""
    with tf.init_scope():
        return tf.raw_ops.RestoreV2(prefix=prefix, tensor_names=[name], shape_and_slices=[spec], dtypes=[dtype])[0]


def file_bytes(tensor):
    """The data file of a bundle that holds this tensor alone."""
    with tempfile.TemporaryDirectory() as directory:
        prefix = os.path.join(directory, "t")
        save(prefix, {"t": tensor})
        return pathlib.Path(prefix + ".data-00000-of-00001").read_bytes()


def entry(name, dtype, shape, value, **extra):
    """One element of "tensors" from a numpy value."""
    record = {"name": text(name), "dtype": tf.as_dtype(dtype).name, "shape": [int(d) for d in shape]}
    # A scalar string as numpy's own bytes type would lose the NULs at its end.
    value = np.asarray(value, dtype=object if record["dtype"] == "string" else None)
    assert list(value.shape) == record["shape"], (name, value.shape, shape)
    if record["dtype"] == "string":
        strings = [v if isinstance(v, bytes) else v.encode("utf-8") for v in value.ravel().tolist()]
        record["strings"] = [b64(s) for s in strings]
    else:
        raw = np.ascontiguousarray(value).tobytes()
        if len(raw) > MAX_RAW:
            record["sha256"] = hashlib.sha256(raw).hexdigest()
            record["raw_bytes"] = len(raw)
        else:
            record["raw"] = b64(raw)
    record.update(extra)
    return record


def read(prefix, name, dtype, shape):
    """One element of "tensors" as RestoreV2 gives it, or with its error."""
    dtype = tf.as_dtype(dtype)
    try:
        tensor = restore(prefix, name, dtype)
        value = tensor.numpy()
    except Exception as error:  # the message is the record
        message = getattr(error, "message", None) or str(error)
        message = re.sub(r"^\{\{.*?\}\} ", "", message.split(" [Op:")[0]).replace(os.getcwd(), ".")
        return {"name": text(name), "dtype": dtype.name, "shape": [int(d) for d in shape], "unreadable": message}
    extra = {"file_bytes": b64(file_bytes(tensor))} if dtype.name in SUB_BYTE else {}
    return entry(name, dtype, shape, value, **extra)


def tensors(prefix):
    """Every tensor that tf.train.load_checkpoint lists."""
    if prefix.endswith("/"):  # load_checkpoint would look for a state file
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    else:
        reader = tf.train.load_checkpoint(prefix)
    dtypes = reader.get_variable_to_dtype_map()
    shapes = reader.get_variable_to_shape_map()
    return [read(prefix, name, dtypes[name], shapes[name]) for name in dtypes]


def sort_key(record):
    name = record["name"]
    return name.encode("utf-8") if isinstance(name, str) else base64.b64decode(name["base64"])


def document(prefix, records=None, **extra):
    records = tensors(prefix) if records is None else records
    return {"tensorflow": tf.__version__, "prefix": prefix, "tensors": sorted(records, key=sort_key), **extra}


def write(doc, path="expected.json"):
    """One line a tensor, so that a change shows up as one line."""
    def dump(value, indent):
        pad = " " * indent
        if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            flat = all("dtype" in v and "name" in v for v in value)
            rows = (json.dumps(v) if flat else dump(v, indent + 1) for v in value)
            return "[\n" + ",\n".join(f"{pad} {row}" for row in rows) + f"\n{pad}]"
        if isinstance(value, dict) and value:
            rows = (f"{json.dumps(k)}: {dump(v, indent + 1)}" for k, v in value.items())
            return "{\n" + ",\n".join(f"{pad} {row}" for row in rows) + f"\n{pad}}}"
        return json.dumps(value)
    pathlib.Path(path).write_text(dump(doc, 0) + "\n", encoding="ascii")


def record(prefix, records=None, **extra):
    """expected.json of a case with one checkpoint."""
    write(document(prefix, records, **extra))


def record_many(prefixes, **extra):
    """expected.json of a case with several checkpoints: the last one is at the top, all under "checkpoints"."""
    docs = [document(p) for p in prefixes]
    write({**docs[-1], **extra, "checkpoints": [{k: d[k] for k in ("prefix", "tensors")} for d in docs[:-1]]})


def latest(directory="."):
    """What tf.train.latest_checkpoint returns, without its directory."""
    path = tf.train.latest_checkpoint(directory)
    return None if path is None else os.path.basename(path)


def meta_graphs(directory):
    """What `inspect` promises of a SavedModel, from TensorFlow's own protos."""
    from google.protobuf import text_format
    from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
    path = pathlib.Path(directory)
    model = saved_model_pb2.SavedModel()
    if (path / "saved_model.pb").exists():
        model.ParseFromString((path / "saved_model.pb").read_bytes())
    else:
        text_format.Parse((path / "saved_model.pbtxt").read_text(), model)

    def info(tensor):
        shape = tensor.tensor_shape
        return {"dtype": tf.as_dtype(tensor.dtype).name, "shape": None if shape.unknown_rank else [d.size for d in shape.dim],
                "name": tensor.name}

    def infos(tensors):
        return {key: info(tensors[key]) for key in sorted(tensors)}

    def signature(s):
        return {"inputs": infos(s.inputs), "outputs": infos(s.outputs), "method_name": s.method_name}

    def assets(graph):
        found = list(graph.asset_file_def)
        if not found:  # TF1 keeps them in a collection
            for packed in graph.collection_def["saved_model_assets"].any_list.value:
                found.append(meta_graph_pb2.AssetFileDef())
                packed.Unpack(found[-1])
        return [asset.filename for asset in found]

    return [{
        "tags": list(graph.meta_info_def.tags),
        "signatures": {key: signature(graph.signature_def[key]) for key in sorted(graph.signature_def)
                       if not key.startswith("__saved_model_")},
        "internal_signatures": sorted(key for key in graph.signature_def if key.startswith("__saved_model_")),
        "tensorflow_version": graph.meta_info_def.tensorflow_version,
        "assets": assets(graph),
    } for graph in model.meta_graphs]


def saved_model(directory, **extra):
    """The document of a SavedModel: its variables and its meta graphs."""
    prefix = f"{directory}/variables/variables"
    records = tensors(prefix) if os.path.exists(prefix + ".index") else []
    doc = document(prefix, records, saved_model=directory, meta_graphs=meta_graphs(directory), **extra)
    fingerprint = pathlib.Path(directory, "fingerprint.pb")
    if fingerprint.exists():
        read = tf.saved_model.experimental.read_fingerprint(directory)
        doc["fingerprint"] = {"checkpoint_hash": str(read.checkpoint_hash), "singleprint": read.singleprint()}
    return doc


def events(path):
    """What summary_iterator reads from an event file."""
    all_events = list(tf.compat.v1.train.summary_iterator(str(path)))
    last = max(event.step for event in all_events)
    return {"file": path.name, "bytes": path.stat().st_size, "events": len(all_events), "last_step": last,
            "last_wall_time": max(event.wall_time for event in all_events if event.step == last),
            "first_wall_time": min(event.wall_time for event in all_events)}
