//! What `PyTorch`, Transformers and safetensors say of weights from elsewhere.

use super::row::{Is, ROW, Row};
use crate::analysis::explain::messages::rule::Rank;

pub(super) const ROWS: &[Row] = &[
    Row {
        marks: &["Unable to load weights from pytorch checkpoint file"],
        cause: "not-torch",
        rank: Rank::Vague,
        value: &[("checkpoint file for '", "'")],
        otherwise: "the file",
        is: Is::Path,
        headline: "Transformers could not read {} as a file of PyTorch.",
        likely: &[
            "It is a Git LFS pointer or cut off.",
            "It is a checkpoint of TensorFlow: from_pretrained wants from_tf=True, and TensorFlow installed.",
        ],
        next: &["ckpt inspect PATH   what the file really is"],
        certain: &["The cause stands in front of this line, in the error of torch.load."],
        ..ROW
    },
    Row {
        marks: &["Loading a TensorFlow model in PyTorch, requires", "Loading a PyTorch model in TensorFlow, requires"],
        cause: "needs-both",
        headline: "The conversion between TensorFlow and PyTorch needs both of them installed, in one environment.",
        likely: &[
            "from_tf=True or from_pt=True was given where only one of them is installed.",
            "TensorFlow is there, but its import fails: the reason stands further up.",
        ],
        next: &[
            "pip install tensorflow torch   in the environment that runs the script",
            "ckpt convert PREFIX -o model.safetensors --weights-only   needs neither, and keeps TensorFlow's names and layouts",
        ],
        certain: &["Certain: no file was opened."],
        ..ROW
    },
    Row {
        marks: &["Weights only load failed"],
        cause: "torch-weights-only",
        headline: "torch.load refuses the file, because it holds more than tensors: since PyTorch 2.6 it loads nothing else unasked.",
        likely: &[
            "A whole model or an optimizer was pickled with the weights.",
            "The file is no file of PyTorch at all: a checkpoint of TensorFlow, a Git LFS pointer.",
        ],
        next: &[
            "ckpt inspect PATH   what the file is",
            "torch.load(PATH, weights_only=False)   only for a file that you trust: a pickle can run code",
        ],
        certain: &["Certain: nothing in the file was run."],
        ..ROW
    },
    Row {
        marks: &["PytorchStreamReader failed"],
        cause: "torch-zip",
        headline: "The file of PyTorch is no whole zip archive.",
        likely: &[
            "The download or copy stopped early: the list of members is at the end of a zip.",
            "It is another kind of file under this name: a Git LFS pointer, a web page, a checkpoint of TensorFlow.",
        ],
        next: &["ckpt inspect PATH   what the file really is", "fetch it again, and compare its size"],
        certain: &["Certain: no tensor was read."],
        ..ROW
    },
    Row {
        marks: &["were not used when initializing"],
        cause: "weights-not-used",
        rank: Rank::Vague,
        headline: "The file has weights that this model has no place for; they were left out, and the rest was loaded.",
        likely: &[
            "The heads of pretraining, left out of a model for another task: that is as it should be.",
            "Another architecture or task, if layers of the body are among them.",
        ],
        next: &[
            "read the names: only heads (mlm, nsp, cls, classifier, pooler) may be among them",
            "ckpt list PATH   what else the file has",
        ],
        certain: &[
            "Certain: nothing is damaged. Whether enough was loaded, the list of newly initialized layers says.",
        ],
        ..ROW
    },
    Row {
        marks: &["newly initialized:", "are newly initialized", "is newly initialized"],
        cause: "weights-new",
        rank: Rank::Vague,
        headline: "The model has weights that the file does not have; they are random, and want training.",
        likely: &[
            "A new head on a pretrained model: that is as it should be.",
            "The names differ (a prefix more or less, another framework), if layers of the body are among them: then nothing useful was loaded.",
        ],
        next: &["read the names: only the head may be among them", "ckpt list PATH   what the file calls its layers"],
        certain: &["Certain: nothing is damaged."],
        ..ROW
    },
    Row {
        marks: &["Error(s) in loading state_dict"],
        cause: "state-dict",
        headline: "The weights do not fit the model of PyTorch: names are missing or too many, or shapes differ; the lines below it say which.",
        likely: &[
            "A converted checkpoint keeps names and layouts of TensorFlow: kernels are (in, out) there and (out, in) in PyTorch.",
            "Another number of classes, or another version of the model.",
            "A prefix more or less: module., model., bert.",
        ],
        next: &[
            "ckpt list PATH   names and shapes in the file",
            "ckpt diff TF_CHECKPOINT TORCH.safetensors --match values   which tensor is which, transposed ones included",
            "load_state_dict(weights, strict=False)   leaves out names that do not fit, but not other shapes",
        ],
        certain: &["Certain: the file was read; no byte is known to be damaged."],
        ..ROW
    },
    Row {
        marks: &[
            "safetensors archive passed at",
            "safetensors that does not contain metadata",
            "does not contain the valid metadata",
        ],
        cause: "safetensors-metadata",
        value: &[("archive passed at ", " ")],
        otherwise: "the file",
        is: Is::Path,
        headline: "The safetensors file does not say which framework wrote it, and Transformers asks for that.",
        likely: &["It was written by another program than save_pretrained: its header has no {\"format\": \"pt\"}."],
        next: &[
            "ckpt list PATH   whether the tensors are there",
            "safetensors.torch.save_file(safetensors.torch.load_file(PATH), NEW, metadata={'format': 'pt'})   writes it with the word; 'tf' for TensorFlow",
        ],
        certain: &["Certain: the tensors are not the matter."],
        ..ROW
    },
    Row {
        marks: &["Some tensors share memory", "save a non contiguous tensor"],
        cause: "safetensors-shared",
        headline: "safetensors refuses to save tensors that share memory or lie in it with gaps; no file was written.",
        likely: &[
            "Tied weights (embedding and output layer), which are one tensor under two names.",
            "Views and transposed tensors.",
        ],
        next: &[
            "safetensors.torch.save_model(model, PATH)   writes tied weights once",
            "tensor.clone().contiguous() for each",
        ],
        certain: &["Certain: files from before are as they were."],
        ..ROW
    },
];
