//! What one process asks of the other, and what it answers: a header in JSON, then the bytes of the values.

use std::io::{self, Read, Write};

use ckpt::read::tensor::DType;
use serde::{Deserialize, Serialize};

/// The prefix, in the directory of a job, of the checkpoint that the results are.
pub(crate) const RESULTS: &str = "results";

/// The file, in the directory of a job, that says how it went.
pub(super) const ANSWER: &str = "answer.json";

/// The longest header: names and shapes, and lengths of strings.
const LONGEST: u64 = 1 << 30;

/// What is to be run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The libraries of the engine, in the order in which they are loaded.
    pub(crate) libraries: Vec<String>,
    /// The model.
    pub(crate) model: Model,
    /// What goes in; of each the bytes follow the header, in this order.
    pub(crate) feeds: Vec<Feed>,
    /// What comes out: the name of the result, and the tensor, `y:0`.
    pub(crate) fetches: Vec<(String, String)>,
    /// How often it is run, at least once.
    pub(crate) repeat: u32,
    /// Threads of the engine; as many as it likes if not given.
    pub(crate) threads: Option<u16>,
    /// Most bytes of memory that the process may have.
    pub(crate) memory: Option<u64>,
    /// The directory for the results.
    pub(crate) directory: String,
}

/// The model of a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Model {
    /// A SavedModel, with the tags of one of its graphs.
    Saved {
        /// Its directory.
        directory: String,
        /// The tags.
        tags: Vec<String>,
    },
    /// A `GraphDef` of so many bytes, which follow the header before those of the feeds.
    Graph {
        /// Its length.
        bytes: u64,
        /// What gives its variables values.
        restore: Option<Restore>,
        /// The ops that are run after that, once.
        initialize: Vec<String>,
    },
}

/// A saver that is run before the model is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Restore {
    /// The op that restores.
    pub(crate) op: String,
    /// The tensor that takes the prefix.
    pub(crate) filename: String,
    /// The prefix of the checkpoint.
    pub(crate) prefix: String,
}

/// A value that goes in.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Feed {
    /// The tensor, `x:0`.
    pub(crate) tensor: String,
    /// TensorFlow's number of the dtype.
    pub(crate) dtype: i32,
    /// The shape.
    pub(crate) shape: Vec<u64>,
    /// The lengths of its elements, if they are strings.
    pub(crate) strings: Option<Vec<u64>>,
    /// Bytes of it behind the header.
    pub(crate) bytes: u64,
}

/// How a job went.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// The version of TensorFlow, as soon as it is known.
    pub(crate) version: String,
    /// Seconds that loading TensorFlow took.
    pub(crate) engine_seconds: f64,
    /// Seconds that loading the model took.
    pub(crate) load_seconds: f64,
    /// Seconds that each run took.
    pub(crate) run_seconds: Vec<f64>,
    /// Why there are no results.
    pub(crate) failure: Option<Failure>,
}

/// Why a job came to nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// What was being done.
    pub(crate) stage: Stage,
    /// What the engine says of it.
    pub(crate) message: String,
}

/// What is done for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Loading the engine.
    Engine,
    /// Loading the model.
    Load,
    /// Finding inputs and outputs in its graph.
    Graph,
    /// Running it.
    Run,
    /// Writing the results.
    Write,
}

impl Feed {
    /// The element type.
    pub(super) fn dtype(&self) -> DType {
        DType::from_number(self.dtype)
    }
}

/// Writes a header and what follows it.
pub(super) fn send(job: &Job, payload: &[&[u8]], out: &mut dyn Write) -> io::Result<()> {
    let header = serde_json::to_vec(job)?;
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    payload.iter().try_for_each(|bytes| out.write_all(bytes))?;
    out.flush()
}

/// Reads a header and what follows it.
pub(super) fn receive(from: &mut dyn Read) -> io::Result<(Job, Vec<Vec<u8>>)> {
    let mut len = [0; 8];
    from.read_exact(&mut len)?;
    let len = u64::from_le_bytes(len);
    if len > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let job: Job = serde_json::from_slice(&exactly(from, len)?)?;
    let graph = match job.model {
        Model::Graph { bytes, .. } => Some(bytes),
        Model::Saved { .. } => None,
    };
    let lengths = graph.into_iter().chain(job.feeds.iter().map(|feed| feed.bytes)).collect::<Vec<_>>();
    let payload = lengths.into_iter().map(|len| exactly(from, len)).collect::<io::Result<_>>()?;
    Ok((job, payload))
}

fn exactly(from: &mut dyn Read, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let got = from.take(len).read_to_end(&mut bytes)?;
    if got as u64 == len { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        let feed = Feed { tensor: "x:0".into(), dtype: 7, shape: vec![2], strings: Some(vec![1, 2]), bytes: 3 };
        Job {
            libraries: vec!["/l".into()],
            model: Model::Graph { bytes: 2, restore: None, initialize: Vec::new() },
            feeds: vec![feed],
            fetches: vec![("y".into(), "y:0".into())],
            repeat: 1,
            threads: None,
            memory: None,
            directory: "/d".into(),
        }
    }

    #[test]
    fn what_is_sent_is_what_arrives_and_less_is_an_error() {
        let mut bytes = Vec::new();
        send(&job(), &[b"gg", b"abc"], &mut bytes).unwrap();
        let (got, payload) = receive(&mut bytes.as_slice()).unwrap();
        assert_eq!(format!("{got:?}"), format!("{:?}", job()));
        assert_eq!(payload, [&b"gg"[..], b"abc"]);
        for end in [0, 7, 8, 30, bytes.len() - 1] {
            assert!(receive(&mut &bytes[..end]).is_err(), "{end}");
        }
        assert!(receive(&mut &[0xff; 64][..]).is_err());
    }
}
