//! The one runtime, and the client of the web. Whoever calls from above waits; nothing above is asynchronous.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::base::fault::Fault;

/// How long a connection may take to be made, and how long an answer may stay silent.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
pub(super) const SILENT: Duration = Duration::from_secs(30);

/// How often something is asked again that failed on the way, or that a server was too busy for.
pub(super) const RETRIES: usize = 4;

/// What this program calls itself to servers.
pub(super) const AGENT: &str = concat!("ckpt/", env!("CARGO_PKG_VERSION"));

/// Of a process: one that was forked off has none of the threads of the other.
struct Net {
    process: u32,
    runtime: Arc<Runtime>,
    client: reqwest::Client,
}

static NET: Mutex<Option<Net>> = Mutex::new(None);

fn with<T>(use_it: impl FnOnce(&Net) -> T) -> io::Result<T> {
    let mut net = NET.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some(old) = net.take_if(|net| net.process != process) {
        // Its threads are the other process's: waiting for them would never end.
        std::mem::forget(old);
    }
    let net = match &mut *net {
        Some(net) => net,
        empty => empty.insert(Net { process, runtime: Arc::new(runtime()?), client: client()? }),
    };
    Ok(use_it(net))
}

fn runtime() -> io::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_name("ckpt-net").enable_io().enable_time().build()
}

fn client() -> io::Result<reqwest::Client> {
    // Somebody who uses the library may have chosen another provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = || {
        let headers = [(reqwest::header::ACCEPT_ENCODING, reqwest::header::HeaderValue::from_static("identity"))];
        reqwest::Client::builder()
            .user_agent(AGENT)
            .connect_timeout(CONNECT)
            .read_timeout(SILENT)
            .default_headers(headers.into_iter().collect())
            .redirect(reqwest::redirect::Policy::custom(follow))
    };
    // A machine without certificates of authorities can still read by plain http.
    plain()
        .build()
        .or_else(|_| plain().tls_certs_only([]).build())
        .map_err(|_| Fault::new("no client for the network could be made").of_kind(io::ErrorKind::Unsupported))
}

/// Redirects are followed, but never from an encrypted connection to an open one.
fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let was_encrypted = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    match () {
        () if attempt.previous().len() > 10 => attempt.error("too many redirects"),
        () if was_encrypted && attempt.url().scheme() != "https" => attempt.error("a redirect to an open connection"),
        () => attempt.follow(),
    }
}

/// The client of the web.
pub(super) fn web_client() -> io::Result<reqwest::Client> {
    with(|net| net.client.clone())
}

/// The process that what is made now belongs to.
pub(super) fn process() -> u32 {
    std::process::id()
}

/// Lets something go on while nobody waits for it.
pub(super) fn start(work: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    with(|net| {
        net.runtime.spawn(work);
    })
}

/// Waits for something. The caller may itself be a task of another runtime: that one is only held up.
pub(super) fn wait<T: Send + 'static>(work: impl Future<Output = io::Result<T>> + Send + 'static) -> io::Result<T> {
    let (tell, told) = mpsc::sync_channel(1);
    start(async move {
        let _ = tell.send(work.await);
    })?;
    told.recv().unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
}

/// How long to wait before asking for the n-th time again.
pub(super) async fn pause(n: usize, asked: Option<Duration>) {
    const LONGEST: Duration = Duration::from_secs(20);
    let n = u32::try_from(n).unwrap_or(u32::MAX).min(8);
    let own = Duration::from_millis(100).saturating_mul(2_u32.saturating_pow(n));
    tokio::time::sleep(asked.unwrap_or(own).min(LONGEST)).await;
}
