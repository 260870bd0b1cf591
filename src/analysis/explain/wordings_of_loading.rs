//! Wordings of what loads, converts and refuses weights, and of what it leaves out.

/// A message as a program says it, and words of the headline.
pub(super) const LOADING: &[(&str, &str)] = &[
    (
        "OSError: Unable to load weights from pytorch checkpoint file for './bert/pytorch_model.bin' at './bert/pytorch_model.bin'. If you tried to load a PyTorch model from a TF 2.0 checkpoint, please set from_tf=True.",
        "'./bert/pytorch_model.bin' as a file of PyTorch",
    ),
    (
        "ImportError: Loading a TensorFlow model in PyTorch, requires both PyTorch and TensorFlow to be installed.",
        "needs both of them",
    ),
    (
        "_pickle.UnpicklingError: Weights only load failed. In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`.",
        "more than tensors",
    ),
    (
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
        "no whole zip archive",
    ),
    (
        "Some layers from the model checkpoint at bert-base-uncased were not used when initializing TFBertModel: ['mlm___cls', 'nsp___cls']",
        "no place for",
    ),
    (
        "Some layers of TFBertForSequenceClassification were not initialized from the model checkpoint at bert-base-cased and are newly initialized: ['classifier', 'dropout_37']",
        "they are random",
    ),
    (
        "RuntimeError: Error(s) in loading state_dict for Net:\n\tsize mismatch for fc.weight: copying a param with shape torch.Size([10, 512]) from checkpoint, the shape in current model is torch.Size([2, 512]).",
        "do not fit the model of PyTorch",
    ),
    (
        "OSError: The safetensors archive passed at ./m/model.safetensors does not contain the valid metadata. Make sure you save your model with the `save_pretrained` method.",
        "which framework",
    ),
    (
        "RuntimeError: Some tensors share memory, this will lead to duplicate memory on disk and potential differences when loading them again: [{'a', 'b'}].",
        "share memory",
    ),
    (
        "WARNING:tensorflow:Skipping loading of weights for layer #5 (named dense_2) due to mismatch in number of weights. Layer expects 2 weight(s). Received 1 saved weight(s)",
        "'dense_2'",
    ),
    (
        "UserWarning: Could not load weights in object <Dense name=dense, built=True>. Skipping object. Exception encountered: Layer 'dense' expected 2 variables",
        "went on without it",
    ),
    (
        "ValueError: Invalid filepath extension for saving. Please add either a `.keras` extension for the native Keras format (recommended) or a `.h5` extension. Received: filepath=model.",
        "by the ending",
    ),
    (
        "ValueError: Not allowed: H5 file with external Dataset: [('/etc/passwd', 0, 100)]",
        "refuses the file for safety",
    ),
    (
        "KeyError: \"Key 'layers/dense/vars/0' not found in any of the shards: ['m_00000.weights.h5']\"",
        "'layers/dense/vars/0'",
    ),
    (
        "UserWarning: Skipping nested container at 'layers/block/parts': no matching group found in the saved file. This usually means the file was saved with a Keras version that did not serialize sublayers nested.",
        "left them at their initial values",
    ),
    (
        "ValueError: `by_name` only supports loading legacy '.h5' or '.hdf5' files. Received: model.keras",
        "for files of Keras 2",
    ),
    (
        "UserWarning: Error when creating the weights of optimizer {}, making it impossible to restore the saved optimizer state. As a result, your model is starting with a freshly initialized optimizer.",
        "begins anew",
    ),
    (
        "WARNING:tensorflow:No training configuration found in the save file, so the model was *not* compiled. Compile it manually.",
        "not compiled",
    ),
    (
        "NotImplementedError: Saving the model to HDF5 format requires the model to be a Functional model or a Sequential model. It does not work for subclassed models",
        "could not be saved whole",
    ),
    (
        "NameError: Exception encountered when calling layer 'lambda_1'.\n\nname 'tf' is not defined",
        "does not bring along",
    ),
    (
        "ValueError: Unable to load weights. filepath saved/1 appears to be a SavedModel directory, but checkpoint either doesn't exist, or is incorrectly formatted.",
        "finds no checkpoint",
    ),
    (
        "ValueError: Unable to create a TF-Keras model from SavedModel at saved/1. This SavedModel was exported with `tf.saved_model.save`, and lacks the TF-Keras metadata file.",
        "no description by Keras",
    ),
    (
        "RuntimeError: Unable to restore object of class 'MultiHeadAttention'. One of several possible causes could be a missing custom object.",
        "'MultiHeadAttention'",
    ),
    (
        "ValueError: The specified checkpoint \"run/model.ckpt-200\" does not appear to be object-based (saved with TF2) since it is missing the key \"_CHECKPOINTABLE_OBJECT_GRAPH\".",
        "is name-based",
    ),
    ("AssertionError: No checkpoint specified (save_path=None); nothing is being restored.", "called with None"),
    (
        "ValueError: Forward compatibility load error: Unable to load checkpoint saved in future version of TensorFlow. Please update your version of TensorFlow to the version in which the checkpoint was saved.",
        "newer TensorFlow",
    ),
    ("AssertionError: Object not assigned a value from checkpoint. <tf.Variable 'w:0' shape=(2,)>", "got no value"),
    (
        "RuntimeError: Save path 'run/checkpoint' conflicts with path used for checkpoint state.  Please use a different save path.",
        "'run/checkpoint'",
    ),
    ("ValueError: The same saveable will be restored with two names: dense/kernel", "one name in the checkpoint"),
    (
        "WARNING:tensorflow:Detecting that an object or model or tf.train.Checkpoint is being deleted with unrestored values. See the following logs for the specific values in question.",
        "never taken",
    ),
    (
        "ValueError: Assignment map with scope only name fc8/ should map to scope only fc8. Should be 'scope/': 'other_scope/'.",
        "'fc8/'",
    ),
    (
        "ValueError: Input 0 of node save/Assign was passed float from Variable:0 incompatible with expected float_ref.",
        "still has operations that assign",
    ),
    (
        "WARNING:tensorflow:Hit NotFoundError when deleting 'run/ckpt-3', possibly because another process/thread is also deleting/moving the same file",
        "'run/ckpt-3'",
    ),
    (
        "ValueError: Got an incompatible argument to `tags`: ['train']. The SavedModel at saved/1 has one MetaGraph with tags ['serve'].",
        "other tags",
    ),
    (
        "ValueError: The type 'RaggedTensorSpecV9' is not supported by this version of TensorFlow. (The object you are loading must have been created with a newer version of TensorFlow.)",
        "does not know",
    ),
    (
        "FileNotFoundError: model/variables/variables_temp  You may be trying to save on a different device from the computational device. Consider setting the `experimental_io_device` option in `tf.saved_model.SaveOptions`",
        "where the computation runs",
    ),
    (
        "ValueError: Attempted to save ops from non-whitelisted namespaces to SavedModel: ['Addons>Gelu'].",
        "ops of a package",
    ),
    (
        "AssertionError: Export directory saved/1 already exists, and isn't empty. Please choose a different export directory, or delete all the contents of the specified directory.",
        "'saved/1'",
    ),
    (
        "KeyError: \"Failed to add concrete function 'f' to object-based SavedModel as it captures tensor <tf.Tensor> which is unsupported or not reachable from root.\"",
        "no attribute of the model",
    ),
    ("FileNotFoundError: SavedModel Fingerprint Error: No fingerprint found or Error", "fingerprint.pb"),
    (
        "ValueError: Trying to load a model of incompatible/unknown type. '/tmp/tfhub_modules/063d866c06683311b44b4992fd46003be952409c' contains neither 'saved_model.pb' nor 'saved_model.pbtxt'.",
        "'/tmp/tfhub_modules/063d866c06683311b44b4992fd46003be952409c'",
    ),
    (
        "OSError: https://tfhub.dev/google/universal-sentence-encoder/4 does not appear to be a valid module.",
        "cannot make sense of",
    ),
    (
        "Expected model half_plus_two to have an absolute path or URI; got base_path()=models/half_plus_two",
        "'models/half_plus_two'",
    ),
    (
        "InvalidArgumentError: Tensor input_1:0, specified in either feed_devices or fetch_devices was not found in the Graph",
        "'input_1:0'",
    ),
    (
        "ValueError: Cannot set tensor: Dimension mismatch. Got 3 but expected 4 for input 0.",
        "of another shape or type",
    ),
    (
        "ConverterError: <unknown>:0: error: 'tf.VarHandleOp' op missing attribute; Variable constant folding is failed.",
        "could not make a constant",
    ),
    ("ValueError: Only support at least one signature key.", "no signature"),
    ("ValueError: SavedModels with assets/ directory are not supported.", "with assets"),
    ("ValueError: Please freeze the graph using freeze_graph.py.", "wants a frozen graph"),
    (
        "OSError: Can't synchronously read data (can't open directory (/usr/local/hdf5/lib/plugin). Please verify its existence)",
        "by a filter",
    ),
    (
        "ValueError: the magic string is not correct; expected b'\\x93NUMPY', got b'PK\\x03\\x04\\x14\\x00'",
        "no array of NumPy",
    ),
    ("UnpicklingError: Failed to interpret file 'weights.npy' as a pickle", "neither as an array"),
];
