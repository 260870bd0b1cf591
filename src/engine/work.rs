//! The process of a job: loads an engine, runs the model, leaves the results, and ends.

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use ckpt::read::container::{Incoming, Parts, Place, Sink, Tensor, Tensors};
use ckpt::read::formats::bundle::BundleSink;
use ckpt::read::storage::{self, NewFile};
use ckpt::read::tensor::{DType, Shape};

use super::job::{ANSWER, Answer, Failure, Feed, Job, Model, RESULTS, Stage, receive};
use super::library::{Engine, Session, Value};

/// The argument by which this program is told that it is the process of a job.
pub(crate) const HIDDEN: &str = "__run-a-job";

/// Does the job that standard input describes. The status says only that the answer was written.
pub(crate) fn main() -> ExitCode {
    let Ok((job, payload)) = receive(&mut std::io::stdin().lock()) else { return ExitCode::FAILURE };
    end_with_who_asked(job.directory.clone());
    let mut answer = Answer::default();
    let done = limit(job.memory).map_err(|why| (Stage::Engine, why)).and_then(|()| work(&job, &payload, &mut answer));
    answer.failure = done.err().map(|(stage, message)| Failure { stage, message });
    let written = serde_json::to_vec(&answer).map_err(|_| ()).and_then(|text| {
        let mut file = NewFile::create(&Path::new(&job.directory).join(ANSWER)).map_err(|_| ())?;
        file.write(&text).and_then(|()| file.finish()).map_err(|_| ())
    });
    if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Ends this process when nobody waits for it any more: standard input is then at its end. Who asked has no more time to
/// take away the directory of the job.
fn end_with_who_asked(directory: String) {
    // Where the system has no thread for it, the time-out of who asked is what ends this process.
    let _ = std::thread::Builder::new().spawn(move || {
        let _ = std::io::stdin().lock().read(&mut [0]);
        storage::discard(Path::new(&directory));
        std::process::abort();
    });
}

/// Sets what this process may have. A crash leaves no core: it would be of the size of the engine.
#[cfg(unix)]
fn limit(memory: Option<u64>) -> Result<(), String> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let set = |resource, most: u64| setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    let _ = set(Resource::Core, 0);
    // Memory that is written to, threads' stacks included, and not the files of the library that are only mapped.
    let limited = memory.map_or(Ok(()), |memory| set(Resource::Data, memory));
    limited.map_err(|error| format!("memory cannot be limited: {error}"))
}

#[cfg(not(unix))]
fn limit(memory: Option<u64>) -> Result<(), String> {
    memory.map_or(Ok(()), |_| Err("memory cannot be limited on this system".to_owned()))
}

/// What is being done, and why that failed.
type Failed = (Stage, String);

fn work(job: &Job, payload: &[Vec<u8>], answer: &mut Answer) -> Result<(), Failed> {
    let at = |stage: Stage| move |why: String| (stage, why);
    let begun = Instant::now();
    let libraries: Vec<&Path> = job.libraries.iter().map(Path::new).collect();
    let engine = Engine::load(&libraries).map_err(at(Stage::Engine))?;
    engine.version().clone_into(&mut answer.version);
    answer.engine_seconds = begun.elapsed().as_secs_f64();

    let begun = Instant::now();
    let config = config(job.threads);
    let mut payload = payload.iter();
    // Not every output needs the tables, whose vocabulary may be gone.
    let mut unfilled = None;
    let session = match &job.model {
        Model::Saved { directory, tags } => {
            engine.load_saved_model(directory, tags, &config).map_err(at(Stage::Load))?
        }
        Model::Graph { restore, initialize, .. } => {
            let graph = payload.next().map(Vec::as_slice).unwrap_or_default();
            let session = engine.import(graph, &config).map_err(at(Stage::Load))?;
            if let Some(restore) = restore {
                let prefix = engine.strings(&[], &[restore.prefix.as_bytes()]).map_err(at(Stage::Load))?;
                let filename = session.port(&restore.filename).map_err(at(Stage::Load))?;
                session.run(&[(filename, prefix)], &[], &[&restore.op]).map_err(at(Stage::Load))?;
            }
            if !initialize.is_empty() {
                let ops: Vec<&str> = initialize.iter().map(String::as_str).collect();
                unfilled = session.run(&[], &[], &ops).err();
            }
            session
        }
    };
    answer.load_seconds = begun.elapsed().as_secs_f64();

    let mut feeds = Vec::new();
    for (feed, bytes) in job.feeds.iter().zip(payload) {
        let port = session.port(&feed.tensor).map_err(at(Stage::Graph))?;
        feeds.push((port, value(&engine, feed, bytes).map_err(at(Stage::Graph))?));
    }
    let ports = job.fetches.iter().map(|(_, tensor)| session.port(tensor)).collect::<Result<Vec<_>, _>>();
    let ports = ports.map_err(at(Stage::Graph))?;
    let mut results = Vec::new();
    for _ in 0..job.repeat.max(1) {
        let begun = Instant::now();
        results = Session::run(&session, &feeds, &ports, &[]).map_err(|why| match &unfilled {
            Some(tables) => (Stage::Run, format!("{why}; its tables could not be filled: {tables}")),
            None => (Stage::Run, why),
        })?;
        answer.run_seconds.push(begun.elapsed().as_secs_f64());
    }
    write(job, &results).map_err(at(Stage::Write))
}

/// A value as a tensor of the engine's.
fn value<'e>(engine: &'e Engine, feed: &Feed, bytes: &[u8]) -> Result<Value<'e>, String> {
    let Some(lengths) = &feed.strings else { return engine.numbers(feed.dtype(), &feed.shape, bytes) };
    let mut strings = Vec::new();
    let mut rest = bytes;
    for len in lengths {
        let (string, behind) =
            usize::try_from(*len).ok().and_then(|len| rest.split_at_checked(len)).unwrap_or_default();
        strings.push(string);
        rest = behind;
    }
    engine.strings(&feed.shape, &strings)
}

/// A `ConfigProto`: ops go where there is a kernel for them, and to so many threads.
fn config(threads: Option<u16>) -> Vec<u8> {
    // allow_soft_placement = 7; intra_op_parallelism_threads = 2, inter_op_parallelism_threads = 5.
    let mut config = vec![7 << 3, 1];
    if let Some(threads) = threads {
        let threads = threads.min(0x3fff);
        let varint = [u8::try_from(threads & 0x7f).unwrap_or(0) | 0x80, u8::try_from(threads >> 7).unwrap_or(0)];
        for field in [2, 5] {
            config.push(field << 3);
            config.extend(varint);
        }
    }
    config
}

/// Leaves the results as a checkpoint, which holds every dtype, and strings.
fn write(job: &Job, results: &[Value<'_>]) -> Result<(), String> {
    let mut sink = BundleSink::new(Path::new(&job.directory), RESULTS, 1);
    let mut tensors = Vec::new();
    for ((name, _), value) in job.fetches.iter().zip(results) {
        let dtype = value.dtype();
        if dtype != DType::String && dtype.element_size().is_none() {
            return Err(format!("output {name} is a {dtype}, which has no values to show"));
        }
        let (name, shape, parts) =
            (name.as_bytes().to_vec(), Shape::new(value.shape()), Parts::Whole(Place::wanted(0)));
        tensors.push(Tensor { name, dtype, shape, parts });
    }
    let tensors: Arc<Tensors> = Arc::new(tensors.into_iter().collect());
    let value_of = |at: usize| {
        let tensor = tensors.get(at)?;
        let fetched = job.fetches.iter().position(|(name, _)| name.as_bytes() == tensor.name)?;
        results.get(fetched)
    };
    let mut all = || {
        for part in sink.begin(Arc::clone(&tensors))? {
            let Some(value) = value_of(part.0) else { continue };
            if value.dtype() == DType::String {
                let texts = value.texts();
                sink.part(part, Incoming::Strings(texts.iter().map(|text| text.len() as u64).collect()))?;
                texts.iter().try_for_each(|text| sink.bytes(text))?;
            } else {
                sink.part(part, Incoming::Numbers)?;
                sink.bytes(value.bytes())?;
            }
            sink.end_part()?;
        }
        sink.finish()
    };
    all().map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::config;

    #[test]
    fn threads_are_varints_of_two_bytes() {
        assert_eq!(config(None), [0x38, 1]);
        assert_eq!(config(Some(4)), [0x38, 1, 0x10, 0x84, 0, 0x28, 0x84, 0]);
        assert_eq!(config(Some(300)), [0x38, 1, 0x10, 0xac, 2, 0x28, 0xac, 2]);
    }
}
