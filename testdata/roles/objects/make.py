"""What optimizers of Keras 3, tf_keras and its legacy ones keep, under the keys of an object graph.

The roles come from the objects: every variable of a checkpoint is found under its key by the value that was put in.
"""
import json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf
import keras
import tf_keras

oracle.enter(__file__)
found = []


def numbered(variables):
    """Gives each variable a value of its own and returns {value: role}."""
    values = {}
    for n, (variable, role) in enumerate(variables):
        value = n + 2
        shape = tuple(variable.shape)
        dtype = variable.dtype if isinstance(variable.dtype, str) else variable.dtype.name
        if dtype == "bool":
            continue
        variable.assign(np.full(shape, value, dtype))
        values[value] = role
    return values


def save(name, checkpoint, variables):
    values = numbered(variables)
    path = checkpoint.write(f"./{name}")
    reader = tf.train.load_checkpoint(path)
    roles = {}
    for key, dtype in reader.get_variable_to_dtype_map().items():
        if dtype == tf.string:
            continue
        value = reader.get_tensor(key)
        first = np.asarray(value).reshape(-1)[0] if np.asarray(value).size else None
        if dtype != tf.bool and first is not None and float(first) in values:
            roles[key] = values[float(first)]
    assert len(set(values)) <= len(roles) + 3, (name, len(values), roles)
    found.append({"prefix": name, "roles": dict(sorted(roles.items()))})


def role(variable, optimizer):
    """What an optimizer has as an attribute is a number of its own; what it has in lists is kept for variables."""
    if not any(variable is own for own in [*vars(optimizer).values(), *getattr(optimizer, "_weights", [])[:1]]):
        return "slot"
    dtype = str(getattr(variable.dtype, "name", variable.dtype))
    return "counter" if dtype.startswith(("int", "uint")) else "optimizer"


def keras_case(k, name, optimizer, layers=None):
    k.utils.set_random_seed(1)
    model = k.Sequential([k.layers.Dense(3, name="hidden"), k.layers.Dense(2, name="out")])
    model.build((None, 4))
    model.optimizer = optimizer
    optimizer.build(model.trainable_variables)
    held = {id(v) for v in model.trainable_variables}
    averages = {id(v) for v in getattr(optimizer, "_model_variables_moving_average", None) or []}
    variables = [(v, "weight") for v in model.trainable_variables]
    inner = getattr(optimizer, "inner_optimizer", None)
    averages |= {id(v) for v in getattr(inner, "_model_variables_moving_average", None) or []}
    owners = [optimizer] + ([inner] if inner is not None else [])
    of = lambda v: next((r for r in (role(v, owner) for owner in owners) if r != "slot"), "slot")
    listed = list(optimizer.variables() if callable(optimizer.variables) else optimizer.variables)
    seen = set()
    for variable in listed:
        if id(variable) in held or id(variable) in seen:
            continue
        seen.add(id(variable))
        variables.append((variable, "average" if id(variable) in averages else of(variable)))
    save(name, tf.train.Checkpoint(model=model, optimizer=optimizer), variables)


def legacy_case(name, optimizer):
    tf_keras.utils.set_random_seed(1)
    variables = [tf.Variable(tf.ones([4, 3]), name="w"), tf.Variable(tf.ones([3]), name="b")]
    optimizer.apply_gradients([(tf.ones(v.shape), v) for v in variables])
    own = [(v, role(v, optimizer)) for v in optimizer.variables()]
    hyper = [(v, "optimizer") for v in optimizer._hyper.values() if isinstance(v, tf.Variable)]
    seen = {id(v) for v, _ in own}
    save(name, tf.train.Checkpoint(w=variables[0], b=variables[1], optimizer=optimizer),
         [(v, "weight") for v in variables] + own + [(v, r) for v, r in hyper if id(v) not in seen])


for k, label in ((keras, "keras"), (tf_keras, "tf_keras")):
    o = k.optimizers
    made = {
        "sgd": lambda: o.SGD(0.1, momentum=0.9),
        "adam": lambda: o.Adam(amsgrad=True),
        "adamw": lambda: o.AdamW(),
        "adafactor": lambda: o.Adafactor(),
        "lion": lambda: o.Lion(),
        "nadam": lambda: o.Nadam(),
        "ftrl": lambda: o.Ftrl(),
        "lamb": lambda: o.Lamb(),
        "adamax": lambda: o.Adamax(),
        "adagrad": lambda: o.Adagrad(),
        "adadelta": lambda: o.Adadelta(),
        "rmsprop": lambda: o.RMSprop(momentum=0.9, centered=True),
        "ema": lambda: o.Adam(use_ema=True),
    }
    for name, make in made.items():
        try:
            optimizer = make()
        except AttributeError:
            continue
        keras_case(k, f"{label}_{name}", optimizer)
keras_case(keras, "keras_loss_scale", keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()))

old = tf_keras.optimizers.legacy
for name, make in {
    "sgd": lambda: old.SGD(0.1, momentum=0.9),
    "adam": lambda: old.Adam(amsgrad=True),
    "nadam": lambda: old.Nadam(),
    "ftrl": lambda: old.Ftrl(),
    "adamax": lambda: old.Adamax(),
    "adadelta": lambda: old.Adadelta(),
    "rmsprop": lambda: old.RMSprop(centered=True, momentum=0.9),
}.items():
    legacy_case(f"legacy_{name}", make())

with open("expected.json", "w") as file:
    json.dump({"tensorflow": tf.__version__, "checkpoints_with_roles": found}, file, indent=1)
    file.write("\n")
