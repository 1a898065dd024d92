use std::fs;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use site::client::{Client, Error, Trust};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::*;
use crate::testing::TestWeb;

/// A CA made on the spot.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes a certificate for `name` and its key, and gives back where.
    fn issue(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &*self.0).unwrap();
        let (at, key_at) = (folder.join("hub.pem"), folder.join("hub.key"));
        fs::write(&at, certificate.pem()).unwrap();
        fs::write(&key_at, key.serialize_pem()).unwrap();
        (at, key_at)
    }

    fn trust(&self, folder: &Path) -> Trust {
        let file = folder.join("ca.pem");
        fs::write(&file, self.0.pem()).unwrap();
        Trust::in_file(&file).unwrap()
    }
}

/// A hub that serves TLS on a free port, until the sender is dropped.
async fn served(tls: Arc<Tls>) -> (u16, oneshot::Sender<()>, TestWeb) {
    let web = TestWeb::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (end, ended) = oneshot::channel::<()>();
    let router = web.router();
    tokio::spawn(crate::serve(listener, Some(tls), router, async move {
        let _ = ended.await;
    }));
    (port, end, web)
}

async fn health(address: &str, trust: &Trust) -> Result<serde_json::Value, Error> {
    Client::trusting(address, trust)?.get("/health").await
}

#[tokio::test]
async fn a_hub_is_believed_by_the_word_of_its_ca_and_under_its_own_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["our CA", "their CA"].map(Authority::new);
    let (certificate, key) = ours.issue(folder.path(), "localhost");
    let (port, _end, _web) = served(Arc::new(Tls::open(&certificate, &key).unwrap())).await;
    let good = format!("https://localhost:{port}");
    let trust = ours.trust(folder.path());
    assert_eq!(health(&good, &trust).await.unwrap()["status"], "ok");

    let told = async |address: &str, trust: &Trust| match health(address, trust).await {
        Err(error @ Error::Distrusted(_)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    let wrong = told(&good, &theirs.trust(folder.path())).await;
    assert!(wrong.contains("an issuer that is not trusted here"), "{wrong}");
    let system = told(&good, &Trust::System).await;
    assert!(system.contains("an issuer that is not trusted here"), "{system}");
    let name = told(&format!("https://127.0.0.1:{port}"), &trust).await;
    assert!(name.contains("localhost") && name.contains("not for 127.0.0.1"), "{name}");
}

#[tokio::test]
async fn a_server_without_tls_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let trust = Authority::new("our CA").trust(folder.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let web = TestWeb::new().await;
    tokio::spawn(crate::serve(listener, None, web.router(), std::future::pending()));
    let told = health(&format!("https://localhost:{port}"), &trust).await.unwrap_err().to_string();
    assert!(told.contains("does not speak TLS"), "{told}");
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_into_use_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["old CA", "new CA"].map(Authority::new);
    let (certificate, key) = old.issue(folder.path(), "localhost");
    let tls = Arc::new(Tls::open(&certificate, &key).unwrap());
    let (port, _end, _web) = served(Arc::clone(&tls)).await;
    let address = format!("https://localhost:{port}");
    let [old_trust, new_trust] = [&old, &new].map(|authority| authority.trust(folder.path()));
    let later = |minutes: u64| Instant::now() + Duration::from_secs(60 * minutes);

    let touched = |file: &Path, seconds: u64| {
        let at = SystemTime::now() + Duration::from_secs(seconds);
        fs::File::options().append(true).open(file).unwrap().set_modified(at).unwrap();
    };
    fs::write(&certificate, "not a certificate").unwrap();
    touched(&certificate, 100);
    tls.acceptor(later(1));
    health(&address, &old_trust).await.unwrap();
    new.issue(folder.path(), "localhost");
    touched(&certificate, 200);
    tls.acceptor(later(2));
    health(&address, &new_trust).await.unwrap();
    health(&address, &old_trust).await.unwrap_err();
}

#[test]
fn a_pair_that_does_not_fit_is_refused_with_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("our CA");
    let (certificate, key) = authority.issue(folder.path(), "localhost");
    fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    assert!(matches!(Tls::open(&certificate, &key), Err(TlsError::Pair(_))));
    fs::write(&certificate, "").unwrap();
    let told = Tls::open(&certificate, &key).unwrap_err().to_string();
    assert!(told.contains("hub.pem"), "{told}");
}
