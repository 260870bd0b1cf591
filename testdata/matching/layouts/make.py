"""One model of Keras in the layouts of several frameworks, with what is which as NumPy computed it.

`ckpt` is what tf.train.Checkpoint wrote of a tf_keras model, `keras2.h5` and `keras3.weights.h5`
the weights of the two Keras, `torch.safetensors` the layout of PyTorch, `half.safetensors` the same in float16, `fused.npz`
has query, key and value in one, `faults.npz` went wrong in several places. `expected.json` says for each tensor of `torch.safetensors` which variable it is, and the
axes that `numpy.transpose` took.
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf
import tf_keras
from safetensors.numpy import save_file

out = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(20)


def build(k):
    image = k.Input((8, 8, 3), name="image")
    x = k.layers.Conv2D(4, 3, name="conv")(image)
    x = k.layers.BatchNormalization(name="bn")(x)
    x = k.layers.DepthwiseConv2D(3, name="depthwise")(x)
    x = k.layers.Conv2DTranspose(5, 2, name="up")(x)
    x = k.layers.Reshape((5, 25))(x)
    x = k.layers.Dense(6, name="project")(x)
    x = k.layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    x = k.layers.LSTM(4, name="lstm")(x)
    x = k.layers.Dense(4, name="square")(x)
    x = k.layers.Dense(3, name="head")(x)
    return k.Model(image, x, name="net")


old, new = build(tf_keras), build(keras)
names = [w.name.split(":")[0] for w in old.weights]
values = [rng.normal(size=w.shape).astype(np.float32) for w in old.weights]
old.set_weights(values)
new.set_weights(values)
tf.train.Checkpoint(model=old).write(f"{out}/ckpt")
old.save_weights(f"{out}/keras2.h5")
new.save_weights(f"{out}/keras3.weights.h5")

ours = dict(zip(names, values))
torch, expected = {}, {}


def put(name, of, axes=None, reshape=None):
    value = ours[of]
    if axes:
        value = value.transpose(axes)
    if reshape:
        value = value.reshape(reshape)
    torch[name] = np.ascontiguousarray(value)
    expected[name] = {"of": of, "axes": axes}


put("conv.weight", "conv/kernel", [3, 2, 0, 1])
put("conv.bias", "conv/bias")
for ours_, theirs in [("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"), ("moving_variance", "running_var")]:
    put(f"bn.{theirs}", f"bn/{ours_}")
put("dw.weight", "depthwise/depthwise_kernel", [2, 3, 0, 1])
put("dw.bias", "depthwise/bias")
put("up.weight", "up/kernel", [3, 2, 0, 1])
put("up.bias", "up/bias")
put("project.weight", "project/kernel", [1, 0])
put("project.bias", "project/bias")
for part in ["query", "key", "value"]:
    put(f"attn.{part}.weight", f"attention/{part}/kernel", [1, 2, 0], [6, 6])
    put(f"attn.{part}.bias", f"attention/{part}/bias", None, [6])
put("attn.out.weight", "attention/attention_output/kernel", [2, 0, 1], [6, 6])
put("attn.out.bias", "attention/attention_output/bias")
put("lstm.weight_ih", "lstm/lstm_cell/kernel", [1, 0])
put("lstm.weight_hh", "lstm/lstm_cell/recurrent_kernel", [1, 0])
put("lstm.bias", "lstm/lstm_cell/bias")
put("square.weight", "square/kernel", [1, 0])
put("square.bias", "square/bias")
put("head.weight", "head/kernel", [1, 0])
put("head.bias", "head/bias")
assert sorted(e["of"] for e in expected.values()) == sorted(names), set(names) ^ {e["of"] for e in expected.values()}
save_file(torch, f"{out}/torch.safetensors")
save_file({name: value.astype(np.float16) for name, value in torch.items()}, f"{out}/half.safetensors")
fused = {name.replace(".", "/"): value for name, value in torch.items() if "query" not in name and "key" not in name and "value" not in name}
for end in ["weight", "bias"]:
    fused[f"attn/qkv/{end}"] = np.concatenate([torch[f"attn.{part}.{end}"] for part in ["query", "key", "value"]])
np.savez(f"{out}/fused.npz", **fused)
# A conversion that went wrong in several places, and layouts that are rare.
faults = {name.replace(".", "/"): value for name, value in torch.items()}
faults["attn/query/weight"], faults["attn/key/weight"] = faults["attn/key/weight"], faults["attn/query/weight"]
faults["up/weight"] = np.ascontiguousarray(faults["up/weight"][:, :, ::-1, ::-1])
for name in ["weight_ih", "weight_hh", "bias"]:
    i, f, c, o = np.split(faults[f"lstm/{name}"], 4)
    faults[f"lstm/{name}"] = np.concatenate([i, c, f, o])
faults["square/weight"] = np.ascontiguousarray(ours["square/kernel"].reshape(2, 2, 4).transpose(0, 2, 1))
faults["head/weight"] = faults["head/weight"] + np.eye(3, 4, dtype=np.float32)
np.savez(f"{out}/faults.npz", **faults)
json.dump({"count": len(names), "torch": expected}, open(f"{out}/expected.json", "w"), indent=1)
print(len(names), "variables", file=sys.stderr)
