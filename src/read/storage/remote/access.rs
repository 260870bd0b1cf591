//! Access to a bucket, and what is noted of its answers that `object_store` does not hand on.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::list::PaginatedListStore;
use object_store::{ClientOptions, HeaderMap, ObjectStore};

use crate::read::wire::Crc32c;

/// Opens a bucket once more: in this region, or so that the store tells its checksums.
pub(super) type Reopen = fn(&str, Option<&str>) -> io::Result<Access>;

/// A store of objects, with what it can be asked.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) pages: Arc<dyn PaginatedListStore>,
    /// Whether requests say who asks.
    pub(super) is_signed: bool,
    /// The region in which it was found, where it was looked for elsewhere already.
    pub(super) moved_to: Option<String>,
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
    /// The checksum of the whole object.
    pub(super) crc32c: Option<Crc32c>,
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

/// The checksum that Google (`x-goog-hash: crc32c=…`) and Amazon (`x-amz-checksum-crc32c`) send of an object; one of parts
/// that were put together (`…-3`, `COMPOSITE`) is none of its bytes.
fn crc32c_in(headers: &HeaderMap) -> Option<Crc32c> {
    let values = |name: &str| headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    let google =
        values("x-goog-hash").flat_map(|value| value.split(',')).find_map(|one| one.trim().strip_prefix("crc32c="));
    let is_whole = values("x-amz-checksum-type").all(|kind| kind == "FULL_OBJECT");
    let amazon = || values("x-amz-checksum-crc32c").find(|_| is_whole);
    let bytes = BASE64_STANDARD.decode(google.or_else(amazon)?).ok()?;
    Some(Crc32c(u32::from_be_bytes(bytes.try_into().ok()?)))
}

impl Seen {
    fn note(&mut self, is_of_bucket: bool, response: Option<&HttpResponse>) {
        let status = response.map_or(0, |response| response.status().as_u16());
        if !is_of_bucket {
            self.has_no_credentials = status == 0 || status >= 400;
            return;
        }
        self.status = status;
        self.crc32c = response.and_then(|response| crc32c_in(response.headers()));
        let region = response.and_then(|response| response.headers().get("x-amz-bucket-region")?.to_str().ok());
        // It is shown: a word of letters, digits and dashes.
        let is_word = |text: &&str| text.len() < 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if let Some(region) = region.filter(is_word) {
            self.region = Some(region.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(headers: &[(&'static str, &str)]) -> Option<u32> {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        crc32c_in(&headers.collect()).map(|crc| crc.0)
    }

    #[test]
    fn checksums_of_whole_objects_are_told_from_others() {
        let crc = "4waSgw==";
        let google = format!("md5=xyz==,crc32c={crc}");
        assert_eq!(told(&[("x-goog-hash", &google)]), Some(0xe306_9283));
        assert_eq!(told(&[("x-goog-hash", "md5=xyz=="), ("x-goog-hash", "crc32c=4waSgw==")]), Some(0xe306_9283));
        assert_eq!(told(&[("x-amz-checksum-crc32c", crc), ("x-amz-checksum-type", "FULL_OBJECT")]), Some(0xe306_9283));
        assert_eq!(told(&[("x-amz-checksum-crc32c", crc), ("x-amz-checksum-type", "COMPOSITE")]), None);
        assert_eq!(told(&[("x-amz-checksum-crc32c", "4waSgw==-3")]), None);
        assert_eq!(told(&[("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")]), None);
    }
}
