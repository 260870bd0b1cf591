"""A network of TF-Slim, trained and saved as its scripts do it, and the same network as Keras applications lay it out: the
copy of weights from the one into the other that is done by hand for every model that was published as a checkpoint of Slim."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import numpy as np
import tensorflow as tf
import tf_keras
import tf_keras.src.legacy_tf_layers.normalization as normalization

# TensorFlow asks for it under the name that it had.
sys.modules["tf_keras.legacy_tf_layers"] = sys.modules["tf_keras.src.legacy_tf_layers"]
sys.modules["tf_keras.legacy_tf_layers.normalization"] = normalization
import keras
import tf_slim as slim

oracle.enter(__file__)
BLOCKS = 3


def network(images, is_training):
    with slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=slim.batch_norm, activation_fn=tf.nn.relu6), \
         slim.arg_scope([slim.batch_norm], is_training=is_training, scale=True, decay=0.9):
        net = slim.conv2d(images, 4, [3, 3], stride=2, scope="Conv2d_0")
        for n in range(1, BLOCKS + 1):
            net = slim.separable_conv2d(net, None, [3, 3], depth_multiplier=1, scope=f"Conv2d_{n}_depthwise")
            net = slim.conv2d(net, 6, [1, 1], scope=f"Conv2d_{n}_pointwise")
        net = tf.reduce_mean(net, [1, 2], keepdims=True)
        net = slim.conv2d(net, 5, [1, 1], activation_fn=None, normalizer_fn=None, scope="Logits/Conv2d_1c_1x1")
        return tf.squeeze(net, [1, 2])


def trained():
    """Two checkpoints of one run, with what RMSProp and moving averages keep."""
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(7)
        random = np.random.default_rng(7)
        images, labels = v1.placeholder(tf.float32, [8, 12, 12, 3]), v1.placeholder(tf.int32, [8])
        with v1.variable_scope("MobilenetTiny"):
            logits = network(images, True)
        loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
        step = v1.train.get_or_create_global_step()
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            apply = v1.train.RMSPropOptimizer(0.01, momentum=0.9).minimize(loss, global_step=step)
        averages = v1.train.ExponentialMovingAverage(0.99, step)
        with tf.control_dependencies([apply]):
            train = averages.apply(v1.trainable_variables())
        session.run(v1.global_variables_initializer())
        saver = v1.train.Saver()
        for n in range(1, 5):
            session.run(train, {images: random.random((8, 12, 12, 3)), labels: random.integers(0, 5, 8)})
            if n in (2, 4):
                saver.save(session, "./model.ckpt", n, write_meta_graph=False, write_state=False)
        return {v.op.name: session.run(v) for v in slim.get_model_variables()}


def applications(library):
    """The layers as `keras.applications.MobileNet` calls them."""
    layers = library.layers
    x = inputs = library.Input((12, 12, 3))

    def normalized(x, name):
        return layers.ReLU(6.0, name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_bn", epsilon=0.001)(x))

    x = normalized(layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False, name="conv1")(x), "conv1")
    for n in range(1, BLOCKS + 1):
        x = normalized(layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"conv_dw_{n}")(x), f"conv_dw_{n}")
        x = normalized(layers.Conv2D(6, 1, use_bias=False, name=f"conv_pw_{n}")(x), f"conv_pw_{n}")
    x = layers.GlobalAveragePooling2D(keepdims=True)(x)
    return library.Model(inputs, layers.Conv2D(5, 1, name="conv_preds")(x), name="mobilenet_tiny")


def converted(model, slim_of):
    own = {"gamma": "gamma", "beta": "beta", "moving_mean": "moving_mean", "moving_variance": "moving_variance"}
    for layer in model.layers:
        name = layer.name.removesuffix("_bn")
        scope = {"conv1": "Conv2d_0", "conv_preds": "Logits/Conv2d_1c_1x1"}.get(name)
        if name.startswith(("conv_dw_", "conv_pw_")):
            scope = f"Conv2d_{name[8:]}_" + ("depthwise" if "dw" in name else "pointwise")
        if not layer.weights:
            continue
        values = []
        for variable in layer.weights:
            last = (variable.path if library is keras else variable.name).split("/")[-1].removesuffix(":0")
            if last in own:
                values.append(slim_of[f"MobilenetTiny/{scope}/BatchNorm/{last}"])
            elif last in ("depthwise_kernel",) or (last == "kernel" and "dw" in name):
                values.append(slim_of[f"MobilenetTiny/{scope}/depthwise_weights"])
            else:
                values.append(slim_of[f"MobilenetTiny/{scope}/" + {"kernel": "weights", "bias": "biases"}[last]])
        layer.set_weights(values)


def answers(images):
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        placeholder = v1.placeholder(tf.float32, images.shape)
        with v1.variable_scope("MobilenetTiny"):
            logits = network(placeholder, False)
        v1.train.Saver().restore(session, "./model.ckpt-4")
        return session.run(logits, {placeholder: images})


weights = trained()
images = np.random.default_rng(1).random((2, 12, 12, 3)).astype(np.float32)
wanted = answers(images)
for library, name in ((tf_keras, "keras2.h5"), (keras, "keras3.weights.h5")):
    model = applications(library)
    converted(model, weights)
    model.save_weights(name)
    # Both answer the same: the conversion is right.
    np.testing.assert_allclose(np.squeeze(model.predict(images, verbose=0)), wanted, rtol=1e-4, atol=1e-5)
oracle.write({"weights": sorted(weights), "tf_slim": slim.__version__ if hasattr(slim, "__version__") else None})
