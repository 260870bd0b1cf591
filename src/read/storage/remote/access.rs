//! Access to a bucket, and what is noted of its answers that `object_store` does not hand on.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::list::PaginatedListStore;
use object_store::{ClientOptions, ObjectStore};

/// Opens a bucket once more in the region in which it really is.
pub(super) type Reopen = fn(&str, &str) -> io::Result<Access>;

/// A store of objects, with what it can be asked.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) pages: Arc<dyn PaginatedListStore>,
    /// Whether requests say who asks.
    pub(super) is_signed: bool,
    /// Whether it was looked for elsewhere already.
    pub(super) is_moved: bool,
}

/// What was seen of the last answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// Its status; 0 if there was none.
    pub(super) status: u16,
    /// The region in which a bucket really is.
    pub(super) region: Option<String>,
    /// Whether whoever gives out credentials had none.
    pub(super) has_no_credentials: bool,
}

tokio::task_local! {
    static SEEN: Arc<Mutex<Seen>>;
}

/// What comes of some requests, and what was seen meanwhile.
pub(super) async fn watched<T>(work: impl Future<Output = T>) -> (T, Seen) {
    let seen = Arc::<Mutex<Seen>>::default();
    let done = SEEN.scope(Arc::clone(&seen), work).await;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    (done, seen)
}

/// Makes clients whose answers are looked at.
#[derive(Clone, Debug)]
pub(super) struct Witness {
    bucket: String,
}

impl Witness {
    /// Of the requests about this bucket; others ask for credentials.
    pub(super) fn of(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned() }
    }
}

impl HttpConnector for Witness {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Watched { client, bucket: self.bucket.clone() }))
    }
}

#[derive(Debug)]
struct Watched {
    client: HttpClient,
    bucket: String,
}

#[async_trait::async_trait]
impl HttpService for Watched {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let is_of_bucket = request.uri().to_string().contains(&self.bucket);
        let response = self.client.execute(request).await;
        let _ = SEEN.try_with(|seen| {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.note(is_of_bucket, response.as_ref().ok());
        });
        response
    }
}

impl Seen {
    fn note(&mut self, is_of_bucket: bool, response: Option<&HttpResponse>) {
        let status = response.map_or(0, |response| response.status().as_u16());
        if !is_of_bucket {
            self.has_no_credentials = status == 0 || status >= 400;
            return;
        }
        self.status = status;
        let region = response.and_then(|response| response.headers().get("x-amz-bucket-region")?.to_str().ok());
        // It is shown: a word of letters, digits and dashes.
        let is_word = |text: &&str| text.len() < 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if let Some(region) = region.filter(is_word) {
            self.region = Some(region.to_owned());
        }
    }
}
