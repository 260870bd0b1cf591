//! What of an address is nobody's business: a user and a password, a query that may be a signature. It is taken out
//! before anything else sees the address, kept here, and goes to the server alone.

use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use super::address::{Address, Scheme};

/// What belongs to addresses that begin alike.
#[derive(Clone)]
struct Kept {
    address: Address,
    /// `user:password`.
    user: Option<String>,
    /// Behind the `?`.
    query: Option<String>,
}

static KEPT: RwLock<Vec<Kept>> = RwLock::new(Vec::new());

/// What goes to a server besides the address.
#[cfg(any(feature = "remote", test))]
#[derive(Clone, Default)]
pub(super) struct Secrets {
    /// A user, and a password.
    pub(super) user: Option<(String, String)>,
    /// The query.
    pub(super) query: Option<String>,
    /// The same address was given with another query before: which of them is meant, nobody knows.
    pub(super) is_ambiguous: bool,
}

/// The address without what is secret in it; other paths as they are. Its secrets are remembered.
pub fn admit(path: &Path) -> PathBuf {
    let Some(text) = path.to_str().map(bare).filter(|text| Address::is(Path::new(text))) else {
        return path.to_path_buf();
    };
    let (word, rest) = text.split_once(':').unwrap_or((text, ""));
    let is_web = Address::parse(text).is_some_and(|address| address.scheme == Scheme::Web);
    // Names in object stores may have `?` in them; addresses of the web may not.
    let (rest, query) = match rest.find(['?', '#']).filter(|_| is_web) {
        Some(at) => {
            let (rest, query) = rest.split_at(at);
            let query = query.split('#').next().unwrap_or_default().trim_start_matches('?');
            (rest, Some(query.to_owned()).filter(|query| !query.is_empty()))
        }
        None => (rest, None),
    };
    let start = rest.len().saturating_sub(rest.trim_start_matches('/').len());
    let (slashes, rest) = rest.split_at(start);
    let (host, key) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // `container@account` of Azure is no user.
    let secret = host.rsplit_once('@').filter(|(user, _)| is_web || user.contains(':'));
    let (user, host) = secret.map_or((None, host), |(user, host)| (Some(user.to_owned()), host));
    if user.is_none() && query.is_none() && rest.len() + slashes.len() + word.len() + 1 == text.len() {
        return path.to_path_buf();
    }
    let plain = format!("{word}:{slashes}{host}{key}");
    if let Some(address) = Address::parse(&plain) {
        let kept = Kept { address, user: user.filter(|_| is_web), query };
        let mut all = KEPT.write().unwrap_or_else(PoisonError::into_inner);
        if !all.iter().any(|other| is_same(other, &kept)) {
            all.push(kept);
        }
    }
    plain.into()
}

/// Text without the white space and the quotes that came along with it.
fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'', '`', '<', '>', '“', '”'])
}

fn is_same(a: &Kept, b: &Kept) -> bool {
    a.address == b.address && a.user == b.user && a.query == b.query
}

/// What belongs to an address: the user of its server, and the query of the address itself, or else of one in its
/// folder or above, as a signature may be for all of that.
#[cfg(any(feature = "remote", test))]
pub(super) fn of(address: &Address) -> Secrets {
    let all = KEPT.read().unwrap_or_else(PoisonError::into_inner);
    let here = |kept: &&Kept| kept.address.word == address.word && kept.address.host == address.host;
    let user = all.iter().rev().filter(here).find_map(|kept| kept.user.clone());
    let own: Vec<&String> =
        all.iter().filter(here).filter(|k| k.address.key == address.key).filter_map(|k| k.query.as_ref()).collect();
    let folder = |key: &str| key.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let above = all.iter().rev().filter(here).filter(|k| address.key.starts_with(&folder(&k.address.key)));
    let query = own.last().map(|query| (*query).clone()).or_else(|| above.clone().find_map(|k| k.query.clone()));
    let user = user.map(|user| {
        let (name, password) = user.split_once(':').unwrap_or((&user, ""));
        (decoded(name), decoded(password))
    });
    Secrets { user, query, is_ambiguous: own.len() > 1 }
}

/// Text without its `%41`.
#[cfg(any(feature = "remote", test))]
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        if let Some(byte) = digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            bytes.push(byte);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(text: &str) -> String {
        admit(Path::new(text)).to_str().unwrap().to_owned()
    }

    #[test]
    fn secrets_are_taken_out_and_kept_for_their_server() {
        assert_eq!(admitted("https://u:p%40ss@h1.example/a/m.h5?X-Sig=abc#x"), "https://h1.example/a/m.h5");
        let of_file = of(&Address::parse("https://h1.example/a/m.h5").unwrap());
        assert_eq!(of_file.user, Some(("u".to_owned(), "p@ss".to_owned())));
        assert_eq!(of_file.query.as_deref(), Some("X-Sig=abc"));
        // What lies beside it may be signed for, too; what lies elsewhere is not.
        assert!(of(&Address::parse("https://h1.example/a/m.index").unwrap()).query.is_some());
        assert!(of(&Address::parse("https://h1.example/b/m.index").unwrap()).query.is_none());
        assert!(of(&Address::parse("https://h2.example/a/m.h5").unwrap()).user.is_none());
        assert!(of(&Address::parse("http://h1.example/a/m.h5").unwrap()).user.is_none());
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in ["gs://b/a?b#c", "https://h/x", "abfss://c@acc.dfs.core.windows.net/x", "/a/b?c", "x@y"] {
            assert_eq!(admitted(text), text);
        }
        assert_eq!(admitted("s3://KEY:SECRET@bucket/x"), "s3://bucket/x");
    }

    #[test]
    fn one_address_with_two_queries_is_told() {
        admitted("https://h3.example/m?v=1");
        assert!(!of(&Address::parse("https://h3.example/m").unwrap()).is_ambiguous);
        admitted("https://h3.example/m?v=2");
        assert!(of(&Address::parse("https://h3.example/m").unwrap()).is_ambiguous);
    }
}
