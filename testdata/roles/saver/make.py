"""What the optimizers of tf.compat.v1 keep beside variables, as a Saver names it, and what the program says each is.

The roles come from the objects of the program: `get_slot` of the optimizer, `trainable_variables`, `average` of the
moving average, the global step. `.meta` files are written too; the test reads each checkpoint with and without.
"""
import json, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1
train = v1.train
found = []


def net(scope="net", partitioner=None, resource=False):
    with v1.variable_scope(scope, partitioner=partitioner, use_resource=resource, reuse=v1.AUTO_REUSE):
        w = v1.get_variable("w", [4, 3], initializer=v1.ones_initializer())
        b = v1.get_variable("b", [3], initializer=v1.ones_initializer())
    w, b = tf.convert_to_tensor(w), tf.convert_to_tensor(b)  # of the parts the whole
    return tf.reduce_sum(tf.matmul(tf.ones([2, 4]), w) ** 2) + tf.reduce_sum(b ** 2)


def case(name, build, var_list=None):
    """`build` returns {name of a variable: role} of what is not trained; the rest are weights and counters."""
    with tf.Graph().as_default():
        v1.set_random_seed(1)
        known = build()
        step = train.get_global_step()
        roles = {}
        for variable in v1.global_variables():
            info = variable._get_save_slice_info() if hasattr(variable, "_get_save_slice_info") else None
            key = info.full_name if info else variable.op.name
            if step is not None and variable is step:
                role = "counter"
            elif any(variable is trained for trained in v1.trainable_variables()):
                role = "weight"
            else:
                role = known[variable.op.name]
            if roles.setdefault(key, role) != role:
                raise SystemExit(f"{name}: {key} is both {roles[key]} and {role}")
        saver = train.Saver(var_list() if var_list else None)
        if var_list:
            roles = {key: roles[variable.op.name] for key, variable in var_list().items()}
        with v1.Session() as session:
            session.run(v1.variables_initializer(v1.trainable_variables()))  # averages start from them
            session.run(v1.global_variables_initializer())
            saver.save(session, f"./{name}", write_state=False)
        found.append({"prefix": name, "roles": dict(sorted(roles.items()))})


def slots_of(*optimizers):
    """Slots and scalars of optimizers, by the optimizers' own account."""
    known = {}
    for optimizer in optimizers:
        slots = [slot for of in optimizer._slots.values() for slot in of.values()]
        own = {id(part) for slot in slots for part in (list(slot) if hasattr(slot, "_get_variable_list") else [slot])}
        for variable in optimizer.variables():
            known[variable.op.name] = "slot" if id(variable) in own else "optimizer"
    return known


def minimized(optimizer, **kwargs):
    def build():
        made = optimizer()
        made.minimize(net(**kwargs), global_step=train.get_or_create_global_step())
        return slots_of(made)
    return build


step = lambda: train.get_or_create_global_step()
case("descent", minimized(lambda: train.GradientDescentOptimizer(0.1)))
case("momentum", minimized(lambda: train.MomentumOptimizer(0.1, 0.9)))
case("adam", minimized(lambda: train.AdamOptimizer()))
case("adam_resource", minimized(lambda: train.AdamOptimizer(), resource=True))
case("adagrad", minimized(lambda: train.AdagradOptimizer(0.1)))
case("adagrad_da", minimized(lambda: train.AdagradDAOptimizer(0.1, step())))
case("adadelta", minimized(lambda: train.AdadeltaOptimizer()))
case("rmsprop", minimized(lambda: train.RMSPropOptimizer(0.1, momentum=0.9)))
case("rmsprop_centered", minimized(lambda: train.RMSPropOptimizer(0.1, centered=True)))
case("ftrl", minimized(lambda: train.FtrlOptimizer(0.1)))
case("proximal_adagrad", minimized(lambda: train.ProximalAdagradOptimizer(0.1)))
case("proximal_descent", minimized(lambda: train.ProximalGradientDescentOptimizer(0.1)))
case("named", minimized(lambda: train.AdamOptimizer(name="train_op")))
case("named_momentum", minimized(lambda: train.MomentumOptimizer(0.1, 0.9, name="learner")))
case("named_ftrl", minimized(lambda: train.FtrlOptimizer(0.1, name="wide")))
case("partitioned", minimized(lambda: train.AdamOptimizer(), partitioner=v1.fixed_size_partitioner(2)))
case("partitioned_named", minimized(lambda: train.AdagradOptimizer(0.1, name="sparse"),
                                    partitioner=v1.fixed_size_partitioner(2), resource=True))


def scoped(outer, inner):
    def build():
        with v1.variable_scope(outer):
            loss = net(scope=inner)
            with v1.variable_scope("OptimizeLoss"):
                made = train.AdamOptimizer()
                made.minimize(loss)
        return slots_of(made)
    return build


def beside():
    """The network under one scope, its optimizer under another."""
    with v1.variable_scope("critic"):
        loss = net(scope="dense")
        critic = train.AdamOptimizer()
        critic.minimize(loss, var_list=v1.trainable_variables("critic"))
    loss = net(scope="pi")
    with v1.variable_scope("atrain"):
        actor = train.RMSPropOptimizer(0.1)
        actor.minimize(loss, var_list=v1.trainable_variables("pi"))
    return slots_of(critic, actor)


def two():
    loss = net()
    first, second = train.AdamOptimizer(name="generator"), train.FtrlOptimizer(0.1)
    first.minimize(loss)
    second.minimize(loss)
    return slots_of(first, second)


def averaged():
    made = train.MomentumOptimizer(0.1, 0.9)
    made.minimize(net(), global_step=step())
    average = tf.train.ExponentialMovingAverage(0.9, num_updates=step())
    average.apply(v1.trainable_variables())
    own = tf.train.ExponentialMovingAverage(0.9, name="shadow")
    own.apply(v1.trainable_variables())
    means = tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="debiased")
    means.apply([tf.reduce_mean(v1.trainable_variables()[0])])
    known = slots_of(made)
    for variable in v1.trainable_variables():
        known[average.average(variable).op.name] = known[own.average(variable).op.name] = "average"
    for variable in v1.global_variables():
        if variable.op.name.endswith("local_step"):
            known.setdefault(variable.op.name, "counter")
        elif "debiased" in variable.op.name:
            known.setdefault(variable.op.name, "other")  # the average of a sum, which is no parameter
    return known


def traces():
    """What is kept and not trained: eligibility traces, sums, metrics, statistics."""
    made = train.AdamOptimizer()
    loss = net()
    made.minimize(loss, global_step=step())
    known = slots_of(made)
    for variable in v1.trainable_variables():
        trace = v1.Variable(tf.zeros(variable.shape), trainable=False, name=variable.op.name + "/trace")
        known[trace.op.name] = "slot"
    total = v1.get_variable("total_reward", [], trainable=False)
    known[total.op.name] = "other"
    best = v1.get_variable("episode/returns", [7], trainable=False)
    known[best.op.name] = "other"
    with v1.variable_scope("bn"):
        for name in ("moving_mean", "moving_variance"):
            known[v1.get_variable(name, [3], trainable=False).op.name] = "weight"
    rate = v1.get_variable("learning_rate", [], trainable=False)
    known[rate.op.name] = "optimizer"
    return known


case("scoped", scoped("optimize", "out"))
case("doubled", scoped("main", "fc"))
case("beside", beside)
case("two", two)
case("averaged", averaged)
case("traces", traces)
case("colons", minimized(lambda: train.AdamOptimizer()),
     var_list=lambda: {variable.name: variable for variable in v1.global_variables()})

with open("expected.json", "w") as file:
    json.dump({"tensorflow": tf.__version__, "checkpoints_with_roles": found}, file, indent=1)
    file.write("\n")
