"""A TF1 SavedModel: two meta graphs, a sharded saver, a partitioned variable, an asset."""
import pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
import oracle

import tensorflow as tf

oracle.enter(__file__)
v1 = tf.compat.v1


def graph():
    v1.set_random_seed(41)
    v1.disable_resource_variables()
    with tf.device("/cpu:0"):
        kernel = v1.get_variable("kernel", [6, 2], partitioner=v1.fixed_size_partitioner(2, axis=0))
    with tf.device("/cpu:1"):
        bias = v1.get_variable("bias", initializer=tf.constant([0.5, -0.5]))
    v1.train.get_or_create_global_step()
    x = v1.placeholder(tf.float32, [None, 6], name="x")
    return {
        "serving_default": v1.saved_model.predict_signature_def({"x": x}, {"y": tf.matmul(x, kernel) + bias}),
        "any": v1.saved_model.predict_signature_def({"anything": v1.placeholder(tf.string, name="anything")}, {"bias": tf.identity(bias)}),
    }


pathlib.Path("vocab.txt").write_text("one\ntwo\n")
builder = v1.saved_model.Builder("model")
config = v1.ConfigProto(device_count={"CPU": 2})
with tf.Graph().as_default(), v1.Session(config=config) as session:
    signatures = graph()
    asset = tf.constant("vocab.txt", name="asset")
    v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, asset)
    session.run(v1.global_variables_initializer())
    builder.add_meta_graph_and_variables(session, ["serve"], signatures, assets_collection=[asset], main_op=tf.no_op("init_all"))
with tf.Graph().as_default(), v1.Session(config=config) as session:
    builder.add_meta_graph(["serve", "gpu"], graph())
builder.save()
pathlib.Path("vocab.txt").unlink()
oracle.write(oracle.saved_model("model"))
