"""A model in three files with an index, as huggingface_hub's split_torch_state_dict_into_shards and its like write it."""
import json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import safetensors
import safetensors.numpy

oracle.enter(__file__)

rng = np.random.default_rng(13)
arrays = {f"layers.{n}.{kind}": rng.standard_normal([4, 3] if kind == "weight" else [3]).astype(np.float32)
          for n in range(3) for kind in ("weight", "bias")}
weight_map, total = {}, 0
for n in range(3):
    file = f"model-{n + 1:05}-of-00003.safetensors"
    shard = {name: array for name, array in arrays.items() if name.startswith(f"layers.{n}.")}
    safetensors.numpy.save_file(shard, file, metadata={"format": "pt"})
    weight_map |= {name: file for name in shard}
    total += sum(array.nbytes for array in shard.values())
pathlib.Path("model.safetensors.index.json").write_text(
    json.dumps({"metadata": {"total_size": total}, "weight_map": weight_map}, indent=2) + "\n")
entries = [oracle.entry(name, "float32", array.shape, array) for name, array in sorted(arrays.items())]
oracle.write({"safetensors": safetensors.__version__, "prefix": "model.safetensors.index.json", "tensors": entries})
