//! TensorFlow's C API, loaded at run time: the third `unsafe` of the crate, in the process of a job only.
//!
//! Source: `tensorflow/c/{c_api,tf_tensor,tf_status,tf_buffer,tf_tstring_interface}.h`, of which these functions are the
//! same from 2.8 to 2.21. What they are given and give stays in here: pointers are made, checked for null, used and
//! freed by the types below, which hand out copies. Three things make every call sound:
//!
//! - the functions are what the headers say, since the library names a version from 2.8 to before 3 by the one function
//!   that was never different, `TF_Version`, which is called first;
//! - the library is never unloaded, so that a function outlives whoever holds it;
//! - a pointer is only used while its owner lives: `Value` frees its tensor when dropped, graphs and sessions live as
//!   long as the process, and nothing is shared between threads (raw pointers are neither `Send` nor `Sync`).
#![expect(unsafe_code, reason = "calls of a library in C; each has its argument, and the file has no other purpose")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::path::Path;
use std::ptr;

use ckpt::read::tensor::DType;
use libloading::Library;

/// The oldest and the newest minor version of TensorFlow 2 that this was tried with.
const MINORS: (u32, u32) = (8, 21);

/// What the headers declare without saying what is in it.
#[repr(C)]
struct Opaque<T> {
    nothing: [u8; 0],
    kind: PhantomData<T>,
}

enum OfStatus {}
enum OfGraph {}
enum OfSession {}
enum OfOptions {}
enum OfBuffer {}
enum OfTensor {}
enum OfOperation {}
enum OfImport {}

type Status = *mut Opaque<OfStatus>;
type Graph = *mut Opaque<OfGraph>;
type SessionPointer = *mut Opaque<OfSession>;
type Options = *mut Opaque<OfOptions>;
type Buffer = *mut Opaque<OfBuffer>;
type Tensor = *mut Opaque<OfTensor>;
type Operation = *mut Opaque<OfOperation>;
type Import = *mut Opaque<OfImport>;

/// `TF_Output`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Port {
    operation: Operation,
    index: c_int,
}

/// `TF_TString`: three words, whatever is in them.
#[repr(C)]
struct Text([u64; 3]);

const TEXT: usize = size_of::<Text>();

macro_rules! functions {
    ($($name:ident($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// The functions that are called, by their names.
        #[derive(Debug)]
        #[expect(non_snake_case, reason = "their names")]
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
        }

        impl Functions {
            /// Those of a library that has said its version.
            fn of(library: &Library) -> Result<Self, String> {
                Ok(Self {
                    $($name: {
                        let name = concat!(stringify!($name), "\0");
                        // SAFETY: the type is the one of the headers of every version that is let through.
                        let found = unsafe { library.get(name.as_bytes()) };
                        *found.map_err(|_| format!("it lacks {}", stringify!($name)))?
                    },)*
                })
            }
        }
    };
}

functions! {
    TF_NewStatus() -> Status;
    TF_GetCode(Status) -> c_int;
    TF_Message(Status) -> *const c_char;
    TF_DeleteStatus(Status);
    TF_NewGraph() -> Graph;
    TF_NewSessionOptions() -> Options;
    TF_SetConfig(Options, *const c_void, usize, Status);
    TF_DeleteSessionOptions(Options);
    TF_LoadSessionFromSavedModel(
        Options, Buffer, *const c_char, *const *const c_char, c_int, Graph, Buffer, Status
    ) -> SessionPointer;
    TF_NewSession(Graph, Options, Status) -> SessionPointer;
    TF_NewBufferFromString(*const c_void, usize) -> Buffer;
    TF_DeleteBuffer(Buffer);
    TF_NewImportGraphDefOptions() -> Import;
    TF_DeleteImportGraphDefOptions(Import);
    TF_GraphImportGraphDef(Graph, Buffer, Import, Status);
    TF_GraphOperationByName(Graph, *const c_char) -> Operation;
    TF_OperationNumOutputs(Operation) -> c_int;
    TF_SessionRun(
        SessionPointer, Buffer, *const Port, *const Tensor, c_int, *const Port, *mut Tensor, c_int, *const Operation,
        c_int, Buffer, Status
    );
    TF_AllocateTensor(c_int, *const i64, c_int, usize) -> Tensor;
    TF_DeleteTensor(Tensor);
    TF_TensorType(Tensor) -> c_int;
    TF_NumDims(Tensor) -> c_int;
    TF_Dim(Tensor, c_int) -> i64;
    TF_TensorByteSize(Tensor) -> usize;
    TF_TensorData(Tensor) -> *mut c_void;
    TF_StringInit(*mut Text);
    TF_StringCopy(*mut Text, *const c_char, usize);
    TF_StringGetDataPointer(*const Text) -> *const c_char;
    TF_StringGetSize(*const Text) -> usize;
}

/// A TensorFlow that is loaded.
#[derive(Debug)]
pub(super) struct Engine {
    functions: Functions,
    version: String,
}

/// A graph that can be run.
#[derive(Debug)]
pub(super) struct Session<'e> {
    engine: &'e Engine,
    graph: Graph,
    pointer: SessionPointer,
}

/// A tensor of the engine's.
#[derive(Debug)]
pub(super) struct Value<'e> {
    engine: &'e Engine,
    tensor: Tensor,
}

/// Whether a version is one that the functions above are true of.
fn fits(version: &str) -> bool {
    let mut parts = version.split('.');
    let mut number = || parts.next().and_then(|part| part.parse::<u32>().ok());
    matches!((number(), number()), (Some(2), Some(minor)) if minor >= MINORS.0)
}

impl Engine {
    /// Loads these libraries, those that others need first. They stay loaded until the process ends.
    pub(super) fn load(libraries: &[&Path]) -> Result<Self, String> {
        let mut last = None;
        for path in libraries {
            // SAFETY: loading runs the initializers of the library, which are those of the TensorFlow that the user
            // installed and chose; this process has no other purpose than to run it, and nothing here to be disturbed.
            let loaded = unsafe { Library::new(*path) };
            let library = loaded.map_err(|error| {
                // What the system says stands behind what was tried.
                let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                let why = why.trim_start_matches(&format!("{}: ", path.display())).to_owned();
                format!("{} cannot be loaded: {why}", path.display())
            })?;
            // Never unloaded: functions and threads of it are used until the end.
            last = Some((Box::leak(Box::new(library)), path));
        }
        let Some((library, path)) = last else { return Err("there is no library to load".to_owned()) };
        let wrong = |why: String| format!("{} is not a TensorFlow that fits: {why}", path.display());
        // SAFETY: `const char* TF_Version(void)`, so in every version that there was; it answers with a static text.
        let version = unsafe {
            let asked = library.get::<unsafe extern "C" fn() -> *const c_char>(b"TF_Version\0");
            let version = asked.map_err(|_| wrong("it lacks TF_Version".to_owned()))?;
            copied(version())
        };
        if !fits(&version) {
            let (oldest, newest) = MINORS;
            return Err(wrong(format!("it is version {version}, and 2.{oldest} to 2.{newest} are known")));
        }
        let functions = Functions::of(library).map_err(|why| wrong(format!("version {version}, but {why}")))?;
        Ok(Self { functions, version })
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Calls `what` with a new status; its answer, or what the status says.
    fn checked<T>(&self, what: impl FnOnce(Status) -> T) -> Result<T, String> {
        let f = &self.functions;
        // SAFETY: the status is new, used by one call, read and freed here; the message is copied before.
        unsafe {
            let status = (f.TF_NewStatus)();
            let answer = what(status);
            let (code, message) = ((f.TF_GetCode)(status), copied((f.TF_Message)(status)));
            (f.TF_DeleteStatus)(status);
            match code {
                0 => Ok(answer),
                code => Err(format!("{}: {message}", code_name(code))),
            }
        }
    }

    /// Calls `open` with a new graph and options with this `ConfigProto`, and makes a session of its answer.
    fn session(
        &self,
        config: &[u8],
        open: impl FnOnce(Graph, Options) -> Result<SessionPointer, String>,
    ) -> Result<Session<'_>, String> {
        let f = &self.functions;
        // SAFETY: both are new and not null; the options are freed after their last use, the graph lives as long as the
        // process, which may outlive the session; the configuration is copied by the call.
        let (graph, options) = unsafe { ((f.TF_NewGraph)(), (f.TF_NewSessionOptions)()) };
        let configured =
            // SAFETY: pointer and length are those of one slice.
            self.checked(|status| unsafe { (f.TF_SetConfig)(options, config.as_ptr().cast(), config.len(), status) });
        let opened = configured.and_then(|()| open(graph, options));
        // SAFETY: made above, and not used after.
        unsafe { (f.TF_DeleteSessionOptions)(options) };
        match opened? {
            session if session.is_null() => Err("no session, and no reason".to_owned()),
            pointer => Ok(Session { engine: self, graph, pointer }),
        }
    }

    /// Loads a graph of a SavedModel with its variables, and runs what initializes it.
    pub(super) fn load_saved_model(
        &self,
        directory: &str,
        tags: &[String],
        config: &[u8],
    ) -> Result<Session<'_>, String> {
        let f = &self.functions;
        let directory = c_text(directory)?;
        let tags = tags.iter().map(|tag| c_text(tag)).collect::<Result<Vec<_>, _>>()?;
        let pointers: Vec<*const c_char> = tags.iter().map(|tag| tag.as_ptr()).collect();
        let count = c_count(pointers.len())?;
        self.session(config, |graph, options| {
            // SAFETY: all pointers are of values that live to the end of the call; the buffers may be null, which means
            // that there are no options for the run and that the MetaGraphDef is not wanted.
            self.checked(|status| unsafe {
                let (no, tags) = (ptr::null_mut(), pointers.as_ptr());
                (f.TF_LoadSessionFromSavedModel)(options, no, directory.as_ptr(), tags, count, graph, no, status)
            })
        })
    }

    /// A session with this `GraphDef`.
    pub(super) fn import(&self, graph_def: &[u8], config: &[u8]) -> Result<Session<'_>, String> {
        let f = &self.functions;
        self.session(config, |graph, options| {
            // SAFETY: the buffer is a copy of the slice; it and the options are new, and freed after their last use.
            let imported = unsafe {
                let buffer = (f.TF_NewBufferFromString)(graph_def.as_ptr().cast(), graph_def.len());
                let how = (f.TF_NewImportGraphDefOptions)();
                let imported = self.checked(|status| (f.TF_GraphImportGraphDef)(graph, buffer, how, status));
                (f.TF_DeleteImportGraphDefOptions)(how);
                (f.TF_DeleteBuffer)(buffer);
                imported
            };
            imported?;
            // SAFETY: the graph and the options live.
            self.checked(|status| unsafe { (f.TF_NewSession)(graph, options, status) })
        })
    }

    /// A tensor of numbers, given as their bytes.
    pub(super) fn numbers(&self, dtype: DType, shape: &[u64], bytes: &[u8]) -> Result<Value<'_>, String> {
        let value = self.allocate(dtype, shape, bytes.len())?;
        // SAFETY: `allocate` has seen to it that there are so many bytes, which nobody else knows of yet.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), value.data(), bytes.len()) };
        Ok(value)
    }

    /// A tensor of strings.
    pub(super) fn strings(&self, shape: &[u64], strings: &[&[u8]]) -> Result<Value<'_>, String> {
        let f = &self.functions;
        let value = self.allocate(DType::String, shape, strings.len().saturating_mul(TEXT))?;
        let first = value.first_text();
        if first.is_null() && !strings.is_empty() {
            return Err("TensorFlow has no place for strings".to_owned());
        }
        for (n, string) in strings.iter().enumerate() {
            // SAFETY: the tensor has room for so many texts, which begin where texts may;
            // each is initialized before it is written, and its bytes are copied. Those of longer ones are never freed:
            // TensorFlow frees the buffer of a tensor, not what strings in it lead to, and the process ends soon.
            unsafe {
                let text = first.add(n);
                (f.TF_StringInit)(text);
                (f.TF_StringCopy)(text, string.as_ptr().cast(), string.len());
            }
        }
        Ok(value)
    }

    /// A tensor of exactly so many bytes.
    fn allocate(&self, dtype: DType, shape: &[u64], bytes: usize) -> Result<Value<'_>, String> {
        let f = &self.functions;
        let size = if dtype == DType::String { Some(TEXT as u64) } else { dtype.element_size() };
        let elements = shape.iter().try_fold(1u64, |n, dim| n.checked_mul(*dim));
        if elements.zip(size).and_then(|(n, size)| n.checked_mul(size)) != Some(bytes as u64) {
            return Err(format!("{bytes} bytes are no {dtype} of shape {shape:?}"));
        }
        let dims: Vec<i64> = shape.iter().map(|dim| dim.cast_signed()).collect();
        let count = c_count(dims.len())?;
        // SAFETY: the dimensions are copied; the size was computed from them above.
        let tensor = unsafe { (f.TF_AllocateTensor)(dtype.number(), dims.as_ptr(), count, bytes) };
        if tensor.is_null() {
            return Err(format!("no memory for {bytes} bytes"));
        }
        let value = Value { engine: self, tensor };
        if value.byte_size() != bytes {
            return Err(format!("TensorFlow has another size for {dtype}"));
        }
        Ok(value)
    }
}

impl<'e> Session<'e> {
    /// The tensor `x:0`, or the first output of `x`.
    pub(super) fn port(&self, tensor: &str) -> Result<Port, String> {
        let (name, index) = match tensor.rsplit_once(':') {
            Some((name, index)) => (name, index.parse().map_err(|_| format!("{tensor}: no number behind the colon"))?),
            None => (tensor, 0),
        };
        let operation = self.operation(name)?;
        // SAFETY: the operation is one of the graph, which lives.
        let outputs = unsafe { (self.engine.functions.TF_OperationNumOutputs)(operation) };
        if !(0..outputs).contains(&index) {
            return Err(format!("{name} has {outputs} outputs, and none with number {index}"));
        }
        Ok(Port { operation, index })
    }

    fn operation(&self, name: &str) -> Result<Operation, String> {
        let text = c_text(name)?;
        // SAFETY: the graph lives, the name is copied by nobody and read during the call.
        let operation = unsafe { (self.engine.functions.TF_GraphOperationByName)(self.graph, text.as_ptr()) };
        if operation.is_null() { Err(format!("there is no op {name} in the graph")) } else { Ok(operation) }
    }

    /// Runs the graph once.
    pub(super) fn run(
        &self,
        feeds: &[(Port, Value<'e>)],
        fetches: &[Port],
        targets: &[&str],
    ) -> Result<Vec<Value<'e>>, String> {
        let f = &self.engine.functions;
        let (ports, values): (Vec<Port>, Vec<Tensor>) = feeds.iter().map(|(port, value)| (*port, value.tensor)).unzip();
        let targets = targets.iter().map(|target| self.operation(target)).collect::<Result<Vec<_>, _>>()?;
        let mut results: Vec<Tensor> = vec![ptr::null_mut(); fetches.len()];
        let (inputs, outputs) = (c_count(ports.len())?, c_count(fetches.len())?);
        let operations = c_count(targets.len())?;
        // SAFETY: every pointer is of a vector with as many elements as is said, of ports and tensors of this session's
        // engine that live to the end of the call; tensors that go in are not changed. Null buffers mean no options and
        // no metadata.
        let run = self.engine.checked(|status| unsafe {
            (f.TF_SessionRun)(
                self.pointer,
                ptr::null_mut(),
                ports.as_ptr(),
                values.as_ptr(),
                inputs,
                fetches.as_ptr(),
                results.as_mut_ptr(),
                outputs,
                targets.as_ptr(),
                operations,
                ptr::null_mut(),
                status,
            );
        });
        // Owned from here on, so that they are freed whatever comes.
        let results: Vec<Option<Value<'e>>> = results
            .into_iter()
            .map(|tensor| (!tensor.is_null()).then_some(Value { engine: self.engine, tensor }))
            .collect();
        run?;
        results
            .into_iter()
            .collect::<Option<_>>()
            .ok_or_else(|| "an output is missing, and no reason is given".to_owned())
    }
}

impl Value<'_> {
    pub(super) fn dtype(&self) -> DType {
        // SAFETY: the tensor lives as long as `self`.
        DType::from_number(unsafe { (self.engine.functions.TF_TensorType)(self.tensor) })
    }

    pub(super) fn shape(&self) -> Vec<i64> {
        let f = &self.engine.functions;
        // SAFETY: the tensor lives as long as `self`, and is asked for dimensions that it has.
        unsafe { (0..(f.TF_NumDims)(self.tensor)).map(|n| (f.TF_Dim)(self.tensor, n)).collect() }
    }

    fn byte_size(&self) -> usize {
        // SAFETY: the tensor lives as long as `self`.
        unsafe { (self.engine.functions.TF_TensorByteSize)(self.tensor) }
    }

    fn data(&self) -> *mut u8 {
        // SAFETY: the tensor lives as long as `self`.
        unsafe { (self.engine.functions.TF_TensorData)(self.tensor) }.cast()
    }

    /// Where the texts of a tensor of strings are; null if they are not where texts can be.
    fn first_text(&self) -> *mut Text {
        // SAFETY: the tensor lives as long as `self`.
        let first: *mut Text = unsafe { (self.engine.functions.TF_TensorData)(self.tensor) }.cast();
        if first.is_aligned() { first } else { ptr::null_mut() }
    }

    /// The bytes of numbers.
    pub(super) fn bytes(&self) -> &[u8] {
        let (data, len) = (self.data(), self.byte_size());
        if len == 0 || data.is_null() {
            return &[];
        }
        // SAFETY: so many bytes are there as long as the tensor, which nobody changes any more.
        unsafe { std::slice::from_raw_parts(data, len) }
    }

    /// The elements of a tensor of strings.
    pub(super) fn texts(&self) -> Vec<&[u8]> {
        let f = &self.engine.functions;
        let first = self.first_text().cast_const();
        let count = if self.dtype() == DType::String && !first.is_null() { self.byte_size() / TEXT } else { 0 };
        let text = |n: usize| {
            // SAFETY: TensorFlow made so many texts there; each says where its bytes are and how many, and both stay as
            // long as the tensor.
            unsafe {
                let text = first.add(n);
                let (data, len) = ((f.TF_StringGetDataPointer)(text), (f.TF_StringGetSize)(text));
                if len == 0 || data.is_null() { &[][..] } else { std::slice::from_raw_parts(data.cast(), len) }
            }
        };
        (0..count).map(text).collect()
    }
}

impl Drop for Value<'_> {
    fn drop(&mut self) {
        // SAFETY: made by the engine for this value alone, and not used after.
        unsafe { (self.engine.functions.TF_DeleteTensor)(self.tensor) };
    }
}

/// A text of C's, copied.
///
/// # Safety
/// It is null, or ends in a zero byte that can be reached.
unsafe fn copied(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller has it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

fn c_text(text: &str) -> Result<CString, String> {
    CString::new(text).map_err(|_| format!("a zero byte in {text:?}"))
}

fn c_count(count: usize) -> Result<c_int, String> {
    c_int::try_from(count).map_err(|_| format!("{count} are too many"))
}

/// The name of a code, as TensorFlow writes them.
fn code_name(code: c_int) -> &'static str {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    usize::try_from(code).ok().and_then(|code| NAMES.get(code)).copied().unwrap_or("UNKNOWN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_tensorflow_two_fit_from_the_oldest_on() {
        for version in ["2.8.0", "2.21.0", "2.22.0-rc1", "2.8"] {
            assert!(fits(version), "{version}");
        }
        for version in ["2.7.4", "1.15.5", "3.0.0", "", "2", "x.y"] {
            assert!(!fits(version), "{version}");
        }
    }

    #[test]
    fn what_is_no_engine_is_told_and_not_called() {
        let missing = Engine::load(&[Path::new("/no/such/library.so")]).unwrap_err();
        assert!(missing.contains("/no/such/library.so cannot be loaded"), "{missing}");
        assert!(Engine::load(&[]).is_err());
    }
}
