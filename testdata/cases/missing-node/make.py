"""Meta graphs whose collections name what the graph does not have, and what TensorFlow says when it imports them."""
import json, os, pathlib
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.chdir(pathlib.Path(__file__).resolve().parent)

import tensorflow as tf

v1 = tf.compat.v1
said = {"tensorflow": tf.__version__}

def save(name, collections):
    with tf.Graph().as_default(), v1.Session() as session:
        v1.get_variable("w", initializer=tf.constant([1.0, 2.0]), use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, f"./{name}", write_state=False)
    meta = v1.MetaGraphDef()
    meta.ParseFromString(open(f"{name}.meta", "rb").read())
    for key, item in collections:
        meta.collection_def[key].node_list.value.append(item)
    with open(f"{name}.meta", "wb") as file:
        file.write(meta.SerializeToString(deterministic=True))
    try:
        with tf.Graph().as_default():
            v1.train.import_meta_graph(f"{name}.meta")
        said[name] = None
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error.args[0]}"

save("operation", [("trainops", "Adam")])
save("tensor", [("losses", "cross_entropy:0")])
save("output", [("losses", "w:5")])
save("whole", [("losses", "w/read:0"), ("trainops", "w/Assign")])
json.dump(said, open("expected.json", "w"), indent=1)
