"""Partitioned tensors written by several SaveV2 calls and merged into three shards."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1

full = {
    "rows": np.arange(15, dtype=np.float32).reshape(5, 3),
    "mixed": np.arange(28, dtype=np.int32).reshape(7, 4),
    "grid": np.arange(48, dtype=np.float64).reshape(6, 8),
    "cube": np.arange(60, dtype=np.int64).reshape(3, 4, 5),
    "long": np.arange(300, dtype=np.uint8).reshape(300, 1),
    "whole": np.full([2, 2], 7, np.float32),
}
# One dict a shard: (name, slice); the order is not that of the positions.
SHARDS = [
    [("rows", "3,2:0,3"), ("grid", "3,3:2,3"), ("grid", "0,3:5,3"), ("mixed", "4,3:-"), ("cube", "-:2,2:0,2"), ("long", "200,100:-")],
    [("grid", "0,3:0,2"), ("rows", "0,1:0,3"), ("cube", "-:0,2:-"), ("mixed", "0,1:0,4"), ("grid", "3,3:5,3"), ("long", "0,64:-"), ("whole", "")],
    [("grid", "3,3:0,2"), ("cube", "0,3:2,2:2,3"), ("grid", "0,3:2,3"), ("rows", "1,2:-"), ("mixed", "1,3:-"), ("long", "64,136:-"), ("whole2", "")],
]
full["whole2"] = full["whole"] + 1


def cut(array, spec):
    index = tuple(slice(None) if part == "-" else slice(int(part.split(",")[0]), sum(map(int, part.split(","))))
                  for part in spec.split(":"))
    return array[index]


prefixes = []
for number, shard in enumerate(SHARDS):
    prefix = f"part-{number}"
    specs = [f"{' '.join(map(str, full[name].shape))} {spec}" if spec else "" for name, spec in shard]
    parts = [tf.constant(cut(full[name], spec) if spec else full[name]) for name, spec in shard]
    tf.raw_ops.SaveV2(prefix=prefix, tensor_names=[name for name, _ in shard], shape_and_slices=specs, tensors=parts)
    prefixes.append(prefix)
tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=prefixes, destination_prefix="merged")

doc = oracle.document("merged")
for record in doc["tensors"]:
    assert record["raw"] == oracle.b64(full[record["name"]].tobytes()), record
oracle.write(doc)
