//! Wordings of programs that do not run here (Windows, TensorFlow Serving, old releases, TensorFlow.js), as people paste
//! them: with the heads of logs, in tracebacks with several errors, without their beginning.

use ckpt::analysis::explain::{Diagnosis, Known, explain_error};

/// A paste, the cause, and words of the answer.
const TABLE: &[(&str, &str, &[&str])] = &[
    // The table of the index, cut or damaged.
    (
        "W tensorflow/core/util/tensor_slice_reader.cc:95] Could not open ./m: Data loss: truncated block read",
        "block-checksum-mismatch",
        &["cut or damaged"],
    ),
    (
        "2021-05-05 10:00:00.1: F tensorflow/core/x.cc:12] Check failed: corrupted compressed block contents",
        "block-checksum-mismatch",
        &["cut or damaged"],
    ),
    (
        "DataLossError (see above for traceback): bad block type\n\t [[Node: save_1/RestoreV2_7 = RestoreV2[dtypes=[DT_FLOAT]]]",
        "block-checksum-mismatch",
        &["cut or damaged"],
    ),
    ("tensorflow.python.framework.errors_impl.DataLossError: corrupted block\r\n", "block-checksum-mismatch", &[]),
    // Names and shapes of graphs that run, and of layers.
    (
        "tensorflow.python.framework.errors_impl.NotFoundError: FeedInputs: unable to find feed output Placeholder_7:0",
        "name-not-in-graph",
        &["'Placeholder_7:0'"],
    ),
    (
        "ValueError: Fetch argument 'logits/BiasAdd' cannot be interpreted as a Tensor. (\"The name",
        "name-not-in-graph",
        &[],
    ),
    (
        "ValueError: Cannot feed value of shape (32, 784) for Tensor 'x:0', which has shape '(?, 28, 28, 1)'",
        "feed-shape",
        &["'x:0'", "--signatures"],
    ),
    (
        "ValueError: Trying to share variable lstm/kernel, but specified shape (300, 800) and found shape (400, 800).",
        "variable-built-twice",
        &["'lstm/kernel'"],
    ),
    (
        "ValueError: Dimension 3 in both shapes must be equal, but are 10 and 1000. Shapes are [1,1,512,10] and [1,1,512,1000]. for 'Assign_30' (op: 'Assign')",
        "shapes-in-graph",
        &["OIHW"],
    ),
    (
        "ValueError: Layer #4 (named \"gru_1\" in the current model) was found to correspond to layer lstm_1 in the save file. However the new layer gru_1 expects 3 weights, but the saved weights have 12 elements.",
        "keras-layer-count",
        &["gru_1 expects 3 weights"],
    ),
    (
        "ValueError: The following argument(s) are not supported with the native Keras format: ['save_traces']",
        "keras-native-arguments",
        &["save_traces"],
    ),
    ("google.protobuf.message.DecodeError: Wrong wire type in tag.", "bad-saved-model", &[]),
    (
        "NotImplementedError: Restoring a name-based tf.train.Saver checkpoint using the object-based restore API. This mode",
        "name-based-checkpoint",
        &[],
    ),
    (
        "(0) Not found: Unsuccessful TensorSliceReader constructor: Failed to find any matching files for model\n\t [[node save/RestoreV2]]",
        "no-checkpoint",
        &["save/restore_all"],
    ),
    // Windows.
    (
        "tensorflow.python.framework.errors_impl.NotFoundError: FindFirstFile failed for: D:/ML Projects/run 3/ckpt : The system cannot find the path specified.\r\n; No such process",
        "windows-path-not-there",
        &["'D:/ML Projects/run 3/ckpt'", "ckpt inspect 'D:/ML Projects/run 3/ckpt'"],
    ),
    (
        "NotFoundError: NewRandomAccessFile failed to Create/Open: C:\\Users\\Zoë\\m\\ckpt-3.data-00000-of-00001 : The system cannot find the file specified.\r\n; No such file or directory",
        "windows-path-not-there",
        &["C:\\Users\\Zoë\\m\\ckpt-3.data-00000-of-00001"],
    ),
    (
        "Failed to rename: D:\\run\\ckpt-9_temp/part-00000-of-00001.data-00000-of-00001 to: D:\\run\\ckpt-9.data-00000-of-00001 : Access is denied.\r\n; Input/output error [Op:MergeV2Checkpoints]",
        "rename-refused",
        &["ckpt-9_temp/part-00000-of-00001", "only copy"],
    ),
    (
        "PermissionError: [WinError 32] The process cannot access the file because it is being used by another process: 'model.h5'",
        "rename-refused",
        &[],
    ),
    // Assets.
    (
        "FailedPreconditionError: Table not initialized.\nNotFoundError: /models/bert en/assets/vocab-uncased.txt; No such file or directory\n\t [[{{node text_file_init/InitializeTableFromTextFileV2}}]]",
        "missing-asset",
        &["/models/bert en/assets/vocab-uncased.txt"],
    ),
    // Disks.
    (
        "ResourceExhaustedError (see above for traceback): /data/run 2/model.ckpt-31.data-00000-of-00001.tempstate9983; No space left on device\n\t [[node save/SaveV2 (defined at train.py:3)]]",
        "disk-full",
        &["/data/run 2/model.ckpt-31.data-00000-of-00001.tempstate9983", "ckpt latest '/data/run 2' --valid"],
    ),
    ("OSError: [Errno 28] No space left on device: 'weights/epoch-3.h5'", "disk-full", &["weights/epoch-3.h5"]),
    (
        "tensorflow.python.framework.errors_impl.UnknownError: ckpts/m.index.tempstate77; Disk quota exceeded",
        "disk-full",
        &[],
    ),
    // Several workers.
    (
        "NotFoundError: /job/ckpt/model.ckpt-0_temp_4f/part-00003-of-00004.index; No such file or directory [[Node: save/MergeV2Checkpoints]]",
        "interrupted-save",
        &["part-00003-of-00004.index", "directory that they share"],
    ),
    (
        "INVALID_ARGUMENT: Duplicate tensor keyed by wide/linear_model/bias_weights encountered, when merging prefix: gs://b/m_temp/part-00001-of-00003",
        "duplicate-tensor",
        &["'wide/linear_model/bias_weights'"],
    ),
    // Graphs that are too large.
    (
        "  File \"x.py\", line 1, in f\n    self._check_graph_size()\nValueError: GraphDef cannot be larger than 2GB.",
        "graph-too-large",
        &["constants"],
    ),
    (
        "google.protobuf.message.EncodeError: Failed to serialize proto\nValueError: Cannot serialize protocol buffer of type tensorflow.GraphDef as the serialized size (3221226483bytes) would be larger than the limit (2147483647 bytes)",
        "graph-too-large",
        &[],
    ),
    // Types and shapes, by version.
    (
        "InvalidArgumentError: Expected to restore a tensor of type int64, got a tensor of type float instead: tensor_name = Global_Step\n\t [[Node: save/RestoreV2]]",
        "restore-dtype-mismatch",
        &["'Global_Step' as int64, the checkpoint has it as float32", "integers"],
    ),
    (
        "tensor_name = a/b's; expected dtype bfloat16 does not equal original dtype float",
        "restore-dtype-mismatch",
        &["'a/b's' as bfloat16", "Mixed precision"],
    ),
    (
        "tensor_name = enc/w; expected dtype double does not equal original dtype float",
        "restore-dtype-mismatch",
        &["NumPy array of float64"],
    ),
    (
        "ValueError: Tensor's shape (30522, 768) is not compatible with supplied shape (21128, 768)",
        "restore-shape-mismatch",
        &["21128×768, the checkpoint has it as 30522×768", "vocabulary"],
    ),
    (
        "ValueError: Shapes (None, 4) and (None, 3) are incompatible",
        "restore-shape-mismatch",
        &["only if it was raised while restoring"],
    ),
    (
        "ValueError: Received incompatible tensor with shape (64, 10) when attempting to restore variable with shape (64, 7) and name my layer/kernel:0.",
        "restore-shape-mismatch",
        &["'my layer/kernel' as 64×7, the checkpoint has it as 64×10"],
    ),
    (
        "InvalidArgumentError (see above for traceback): Assign requires shapes of both tensors to match. lhs shape= [1024,90] rhs shape= [1024,91]\n\t [[Node: save/Assign_12 = Assign[T=DT_FLOAT, _class=[\"loc:@SecondStage/Box/weights\"], use_locking=true]]]",
        "restore-shape-mismatch",
        &["'SecondStage/Box/weights' as 1024×90, the checkpoint has it as 1024×91"],
    ),
    (
        "ValueError: Shape mismatch in layer #21 (named predictions) for weight predictions/kernel. Weight expects shape (1280, 5). Received saved weight with shape (1280, 1000)",
        "keras-shape",
        &["'predictions/kernel' as 1280×5, the file has it as 1280×1000"],
    ),
    (
        "ValueError: Layer weight shape (3, 3, 1, 32) not compatible with provided weight shape (32, 1, 3, 3)",
        "keras-shape",
        &["3×3×1×32, the file has it as 32×1×3×3", "transposed"],
    ),
    // Objects.
    (
        "AssertionError: Some objects had attributes which were not restored:\n    <tf.Variable 'head/w:0' shape=(3,) dtype=float32>: ['head/w']",
        "restore-missing",
        &["'head/w'"],
    ),
    (
        "WARNING:tensorflow:Inconsistent references when loading the checkpoint into this object graph. For example, in the saved checkpoint object, `model.layer.weight` and `model.layer_copy.weight` reference the same variable",
        "shared-objects",
        &[],
    ),
    (
        "AssertionError: Unresolved object in checkpoint: (root).model.layer-3.gate_u.kernel",
        "object-not-in-program",
        &["'(root).model.layer-3.gate_u.kernel'", "another structure"],
    ),
    (
        "WARNING:root:Value in checkpoint could not be found in the restored object: (root).optimizer's state 'v' for (root).model.layer_with_weights-2.bias",
        "value-without-place",
        &["(root).optimizer's state 'v' for (root).model.layer_with_weights-2.bias", "harmless"],
    ),
    // Tags and graphs of SavedModels.
    (
        "but there are 3 MetaGraphs in the SavedModel with tag sets: [['serve'], ['train'], []]. requires a `tags=` argument",
        "choose-tags",
        &["3 graphs"],
    ),
    (
        "RuntimeError: MetaGraphDef associated with tags {'serve'} could not be found in SavedModel. To inspect available tag-sets in the SavedModel, please use the SavedModel CLI: `saved_model_cli`\navailable_tags: []",
        "saved-model-without-graph",
        &["no graph"],
    ),
    (
        "Loading servable: {name: m version: 3} failed: Not found: Could not find meta graph def matching supplied tags: { serve }. To inspect available tag-sets",
        "no-serve-tag",
        &["'serve'"],
    ),
    (
        "OSError: Cannot parse file b'exports/3/saved_model.pb': Error parsing message with type 'tensorflow.SavedModel'.",
        "bad-saved-model",
        &["'exports/3/saved_model.pb'", "frozen graph"],
    ),
    ("Data loss: Can't parse /m/1/saved_model.pb as binary proto", "bad-saved-model", &["'/m/1/saved_model.pb'"]),
    (
        "[libprotobuf ERROR external/x/text_format.cc:307] Error parsing text-format tensorflow.SavedModel: 1:2: Invalid control characters encountered in text.",
        "bad-saved-model",
        &[],
    ),
    (
        "InvalidArgumentError: NodeDef mentions attr 'batch_dims' not in Op<name=GatherV2; signature=params:Tparams, indices:Tindices, axis:Taxis -> output:Tparams>",
        "newer-tensorflow",
        &["'batch_dims'"],
    ),
    // What the program was given stands elsewhere in the text.
    (
        "INFO:tensorflow:Restoring parameters from logs/run 2/model.ckpt-10.index\nNotFoundError: Key conv1/weights not found in checkpoint",
        "member-as-prefix",
        &["give 'logs/run 2/model.ckpt-10'"],
    ),
    (
        "    saver.restore(sess, 'logs/m.ckpt-3.data-00000-of-00001')\nKey conv1/weights not found in checkpoint\nKey conv1/biases not found in checkpoint",
        "member-as-prefix",
        &["give 'logs/m.ckpt-3'"],
    ),
    (
        "INFO:tensorflow:Restoring parameters from logs/m.ckpt-3\nKey conv1/weights not found in checkpoint",
        "restore-missing",
        &["ckpt list logs/m.ckpt-3 '**/*weights*'"],
    ),
    (
        "DataLossError: Unable to open table file ./m/model.ckpt: Data loss: corrupted compressed block contents",
        "block-checksum-mismatch",
        &["ckpt validate ./m/model.ckpt "],
    ),
    (
        "UnknownError: Failed to rename: run/ckpt-3.index.tempstate887 to: run/ckpt-3.index : Access is denied.",
        "rename-refused",
        &["ckpt validate run/ckpt-3 ", "ckpt recover run/ckpt-3_temp -o NEW"],
    ),
    (
        "NotFoundError: hdfs://nn/job/m.ckpt-0_temp_a1/part-00001-of-00003.index; No such file or directory [[node save/MergeV2Checkpoints]]",
        "interrupted-save",
        &["ckpt recover m.ckpt-0 -o NEW"],
    ),
    (
        "NotFoundError: /srv/export/assets/vocab.txt; No such file or directory",
        "missing-asset",
        &["ckpt validate /srv/export "],
    ),
    (
        "AssertionError: Some objects had attributes which were not restored:\n    <tf.Variable 'd/kernel:0' shape=(4, 2) dtype=float32>: ['d/kernel']",
        "restore-missing",
        &["'**/*kernel*'", "--ignore d/kernel"],
    ),
    (
        "    saver = f(tf.train.latest_checkpoint('./out/') + '.meta')\nTypeError: unsupported operand type(s) for +: 'NoneType' and 'str'",
        "path-is-none",
        &["ckpt latest ./out "],
    ),
    // What was not there when it was loaded.
    (
        "I tensorflow/cc/saved_model/loader.cc:155] The specified SavedModel has no variables; no checkpoints were restored. File does not exist: /models/m/7/variables/variables.index\nI tensorflow/cc/saved_model/loader.cc:182] Running initialization op on SavedModel bundle at path: /models/m/7\nFailed precondition: Attempting to use uninitialized value dnn/hidden_0/bias\n\t [[{{node dnn/hidden_0/bias/read}}]]",
        "missing-variables",
        &["'/models/m/7/variables/variables.index'"],
    ),
    (
        "FailedPreconditionError (see above for traceback): Attempting to use uninitialized value rnn/gru_cell/kernel",
        "uninitialized-variable",
        &["'rnn/gru_cell/kernel'"],
    ),
    (
        "Error while reading resource variable block 1/conv/kernel from Container: localhost. This could mean that the variable was uninitialized. Not found: Container localhost does not exist.",
        "uninitialized-variable",
        &["'block 1/conv/kernel'"],
    ),
    (
        "Op type not registered 'RegexSplitWithOffsets' in binary running on web-3. Make sure the Op and Kernel are registered",
        "op-custom",
        &["'RegexSplitWithOffsets'"],
    ),
    (
        "InvalidArgumentError: No OpKernel was registered to support Op 'CudnnRNNParamsToCanonical' with these attrs.  Registered devices: [CPU]",
        "no-kernel",
        &["'CudnnRNNParamsToCanonical'"],
    ),
    // Serving.
    (
        "W tensorflow_serving/sources/storage_path/file_system_storage_path_source.cc:267] No versions of servable ranker found under base path /models/ranker v2. Did you forget to name your leaf directory as a number (eg. '/1/')?",
        "no-version",
        &["'/models/ranker v2'", "ckpt validate '/models/ranker v2' --serving"],
    ),
    (
        "E tensorflow_serving/core/x.cc:1] FileSystemStoragePathSource encountered a filesystem access error: Could not find base path s3://models/ranker for servable ranker with error Not found",
        "no-base-path",
        &["s3://models/ranker"],
    ),
    (
        "grpc.RpcError: <_InactiveRpcError status = StatusCode.NOT_FOUND details = \"Servable not found for request: Specific(ranker, 12)\"",
        "not-loaded",
        &["Specific(ranker, 12)"],
    ),
    (
        "Specified file path does not appear to contain a:\n- Session bundle (should have a file called `export.meta`)\n- or, SavedModel bundle (should have a file called `saved_model.pb`)\nSpecified file path: /models/x/20240131",
        "stray-version",
        &[],
    ),
    ("{\"error\": \"Serving signature key \\\"classify\\\" not found.\"}", "no-default-signature", &[]),
    // Text that is none, and None.
    (
        "  File \"/usr/lib/python3/site-packages/tensorflow/python/lib/io/file_io.py\", line 96, in read\n    return compat.as_str_any(self._read_buf.read(n))\nUnicodeDecodeError: 'utf-8' codec can't decode byte 0xd5 in position 120: invalid continuation byte",
        "not-text",
        &[],
    ),
    ("TypeError: unsupported operand type(s) for +: 'NoneType' and 'str'", "path-is-none", &["latest_checkpoint"]),
    // HDF5 and Keras.
    ("OSError: Unable to open file (file signature not found)", "not-hdf5", &["LFS", ".keras"]),
    (
        "OSError: Unable to open file (truncated file: eof = 47316992, sblock->base_addr = 0, stored_eof = 102967424)",
        "cut-hdf5",
        &["102967424 bytes"],
    ),
    (
        "OSError: SavedModel file does not exist at: out dir/best model.hdf5/{saved_model.pbtxt|saved_model.pb}",
        "no-such-file",
        &["'out dir/best model.hdf5'", "ckpt inspect 'out dir/best model.hdf5'"],
    ),
    (
        "ValueError: Layer 'conv2d_4' expected 1 variables, but received 2 variables during loading. Expected: ['kernel']",
        "keras-layer-variables",
        &["'conv2d_4'"],
    ),
    (
        "/opt/k/saving_lib.py:713: UserWarning: Skipping variable loading for optimizer 'loss_scale_optimizer', because it has 4 variables whereas the saved optimizer has 212 variables.\n  saveable.load_own_variables(weights_store.get(inner_path))",
        "keras-optimizer-variables",
        &["'loss_scale_optimizer'"],
    ),
    (
        "ValueError: You are trying to load a weight file containing 13 layers into a model with 16 layers.",
        "keras-layer-count",
        &["13", "16"],
    ),
    ("ValueError: The layer expects 2 weights, but the saved weights have 4 elements.", "keras-layer-count", &[]),
    ("    return transpose(axes)\nValueError: axes don't match array", "keras-axes", &[]),
    (
        "AttributeError: 'BertForTokenClassification' object has no attribute 'bias'",
        "conversion-script",
        &["'BertForTokenClassification'"],
    ),
    ("AttributeError: 'Conv2D' object has no attribute 'kernel'", "keras-unbuilt", &["'Conv2D'"]),
    (
        "Uncaught (in promise) Error: Provided weight data has no target variable: block_1/expand (1)/kernel",
        "tensorflow-js-names",
        &["block_1/expand (1)/kernel"],
    ),
    (
        "RuntimeError: Attempting to capture an EagerTensor without building a function.",
        "saver-in-eager-mode",
        &["no file is at fault"],
    ),
];

fn words(diagnosis: &Diagnosis) -> String {
    let lists = [&diagnosis.meaning, &diagnosis.likely, &diagnosis.next, &diagnosis.certainty];
    let lines: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
    format!("{}\n{}", diagnosis.headline, lines.join("\n"))
}

fn answer(text: &str) -> Option<Diagnosis> {
    let diagnosis = explain_error(text)?;
    let known = Known::of(&diagnosis);
    Some(diagnosis.filled(&known))
}

#[test]
fn every_row_of_the_table_is_answered() {
    let mut wrong = Vec::new();
    for (text, cause, facts) in TABLE {
        let Some(diagnosis) = answer(text) else {
            wrong.push(format!("not recognised: {text}"));
            continue;
        };
        if diagnosis.cause != *cause {
            wrong.push(format!("{} instead of {cause}: {text}", diagnosis.cause));
        }
        let words = words(&diagnosis);
        wrong.extend(
            facts.iter().filter(|fact| !words.contains(**fact)).map(|fact| format!("{fact:?} is not in:\n{words}\n")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// A terminal that scrolled away, a chat that cut the paste off: what is left still says what it is.
#[test]
fn messages_that_lost_their_beginning_are_recognised() {
    for (text, cause) in [
        ("found in checkpoint\n\t [[{{node save/RestoreV2}}]]", "restore-missing"),
        ("uires shapes of both tensors to match. lhs shape= [5,2] rhs shape= [5,3]", "restore-shape-mismatch"),
        ("... hs shape= [5,2] rhs shape= [5,3]\n\t [[node save/Assign", "restore-shape-mismatch"),
        ("al to original dtype float", ""),
        ("oes not equal original dtype float [Op:RestoreV2]", "restore-dtype-mismatch"),
        ("any matching files for run/model.ckpt-3", "no-checkpoint"),
        ("sed save_path is not a valid checkpoint: run/model.ckpt-3", "no-checkpoint"),
        ("le does not exist at: export/{saved_model.pbtxt|saved_model.pb}", "no-saved-model"),
        ("ile signature not found)", "not-hdf5"),
        ("ulated on the restored bytes 517592881", ""),
    ] {
        let found = answer(text).map(|diagnosis| diagnosis.cause);
        assert_eq!(found.unwrap_or_default(), cause, "{text}");
    }
}

#[test]
fn of_several_errors_the_cause_of_the_others_is_answered_and_they_are_named() {
    let wrapped = "tensorflow.python.framework.errors_impl.NotFoundError: Key w/kernel not found in checkpoint\n\t [[{{node save/RestoreV2}}]]\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"saver.py\", line 1300, in restore\n    names_to_keys = object_graph_key_mapping(save_path)\nNotFoundError: Key _CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint\n\nDuring handling of the above exception, another exception occurred:\n\nNotFoundError: Restoring from checkpoint failed. This is most likely due to a Variable name or other graph key that is missing from the checkpoint. Original error:\n\nKey w/kernel not found in checkpoint";
    let found = answer(wrapped).unwrap();
    assert_eq!((found.cause, found.tensor.as_deref()), ("restore-missing", Some("w/kernel")));
    assert!(found.also.iter().any(|line| line.contains("name-based")), "{:?}", found.also);
    // Only the end of it: the sentence that guesses is no answer.
    let end = "Restoring from checkpoint failed. This is most likely due to a mismatch between the current graph and the graph from the checkpoint. Original error:\n\nAssign requires shapes of both tensors to match. lhs shape= [3] rhs shape= [4]";
    assert_eq!(answer(end).unwrap().cause, "restore-shape-mismatch");
    let alone = "Restoring from checkpoint failed. This is most likely due to a Variable name or other graph key that is missing";
    assert_eq!(answer(alone).unwrap().cause, "restore-failed");
    // What comes first in a log leads to what follows.
    let log = "ERROR:tensorflow:Couldn't match files for checkpoint run/model-9\nTraceback (most recent call last):\n  File \"a.py\", line 2, in <module>\n    path = latest + '.meta'\nTypeError: unsupported operand type(s) for +: 'NoneType' and 'str'";
    let found = answer(log).unwrap();
    assert_eq!(found.cause, "state-file-stale");
    assert!(found.also.iter().any(|line| line.contains("None")), "{:?}", found.also);
    let keras = "ValueError: A total of 2 objects could not be loaded. Example error message for object <Dense name=d, built=True>:\n\nLayer 'd' expected 2 variables, but received 1 variables during loading. Expected: ['kernel', 'bias']";
    assert_eq!(answer(keras).unwrap().cause, "keras-layer-variables");
}

#[test]
fn names_are_quoted_whole() {
    for (text, name) in [
        ("Key it's a \"name\" not found in checkpoint", "it's a \"name\""),
        ("NOT_FOUND: Key dense (copy)/kernel not found in checkpoint [Op:RestoreV2]", "dense (copy)/kernel"),
        ("Tensor name \"a b's/w\" not found in checkpoint files run/m-1", "a b's/w"),
        ("ValueError: Tensor bert/w (w in bert/) is not found in run/m-1 checkpoint", "bert/w"),
        ("Not found: Key Key frame/w not found in checkpoint", "Key frame/w"),
        ("dense/kernel not found in checkpoint", "dense/kernel"),
    ] {
        assert_eq!(answer(text).unwrap().tensor.as_deref(), Some(name), "{text}");
    }
    let many = "Key a/w not found in checkpoint\nKey a/b not found in checkpoint\nKey a/w not found in checkpoint";
    assert_eq!(answer(many).unwrap().missing, ["a/w", "a/b"]);
}
