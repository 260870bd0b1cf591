"""tf.train.Checkpoint: what the assertions say, and what is said when a program ends."""

from cases import case, restore_v1, save_v1


def layer(**shapes):
    import tensorflow as tf

    root = tf.Module()
    for name, shape in shapes.items():
        setattr(root, name, tf.Variable(tf.ones(shape), name=name))
    return root


@case("consumed", "object-not-in-program", "(root).model.extra")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(model=layer(w=[2], extra=[3])).save("tf2/ckpt")
    tf.train.Checkpoint(model=layer(w=[2])).restore(path).assert_consumed()


@case("existing-not-matched", "restore-missing")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(model=layer(w=[2])).save("tf2/ckpt")
    tf.train.Checkpoint(model=layer(w=[2], newer=[3])).restore(path).assert_existing_objects_matched()


@case("only-the-root", "restore-matches-nothing")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(net=layer(w=[2])).write("tf2/ckpt")
    tf.train.Checkpoint(model=layer(w=[2])).restore(path).assert_nontrivial_match()


@case("incompatible", "restore-shape-mismatch", "table", "[4]", "[7]")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(model=layer(table=[7])).save("tf2/ckpt")
    tf.train.Checkpoint(model=layer(table=[4])).restore(path)


@case("eager-dtype", "restore-dtype-mismatch", "float64", "float32")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(v=tf.Variable([1.0])).save("tf2/ckpt")
    tf.train.Checkpoint(v=tf.Variable([1.0], dtype=tf.float64)).restore(path)


@case("values-left-over", "value-without-place", "optimizer", stderr=True)
def _():
    import tensorflow as tf
    import tf_keras

    model = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))])
    model.compile(tf_keras.optimizers.Adam(), "mse")
    model.fit(tf.ones([4, 3]), tf.ones([4, 2]), verbose=0)
    path = tf.train.Checkpoint(model=model, optimizer=model.optimizer).save("tf2/ckpt")
    fresh = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))])
    status = tf.train.Checkpoint(model=fresh).restore(path)
    del status, fresh


@case("weights-left-over", "value-without-place", "(root).model.extra", stderr=True)
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(model=layer(w=[2], extra=[3])).write("tf2/ckpt")
    status = tf.train.Checkpoint(model=layer(w=[2])).restore(path)
    del status


@case("legacy-optimizer", "legacy-optimizer")
def _():
    import tensorflow as tf
    import tf_keras

    def built(optimizer):
        model = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,))])
        model.compile(optimizer, "mse")
        model.fit(tf.ones([4, 3]), tf.ones([4, 2]), verbose=0)
        return tf.train.Checkpoint(model=model, optimizer=optimizer)

    path = built(tf_keras.optimizers.legacy.Adam()).save("tf2/ckpt")
    built(tf_keras.optimizers.Adam()).restore(path)


@case("saver-on-objects", "restore-missing", "dense/w")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(model=layer(w=[2])).save("tf2/ckpt")
    restore_v1(path, {"dense/w": (2,)})


@case("object-graph-of-names", "name-based-checkpoint")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (2,)})
    tf.train.load_checkpoint("run/model-1").get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")


@case("names-into-objects", "restore-missing", "other")
def _():
    import tensorflow as tf

    save_v1("run/model-1", {"w": (2,)})
    root = layer(other=[2])
    tf.train.Checkpoint(model=root).restore("run/model-1").assert_existing_objects_matched()


@case("assign-wrong-shape", "restore-shape-mismatch", "[2]", "[3]")
def _():
    import tensorflow as tf

    tf.Variable(tf.ones([2]), name="w").assign(tf.ones([3]))


@case("shapes-incompatible", "restore-shape-mismatch", "[7]", "[3]")
def _():
    import tensorflow as tf

    tf.TensorShape([7]).assert_is_compatible_with(tf.TensorShape([3]))


@case("not-found-by-reader", "restore-missing", "model/layer-1/kernel/.ATTRIBUTES/VARIABLE_VALUE")
def _():
    import tensorflow as tf

    path = tf.train.Checkpoint(model=layer(w=[2])).save("tf2/ckpt")
    tf.train.load_variable(path, "model/layer-1/kernel/.ATTRIBUTES/VARIABLE_VALUE")
