//! A hub that serves TLS itself, with a CA of its own: the command line and an agent, each a process.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::agent::{AgentProcess, configured, with_remote_site};
use crate::cli::Terminal;
use crate::factory::Factory;

/// Writes a CA to `name.pem`, and with it a certificate for `localhost` and its key.
fn certified(folder: &Path, name: &str) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    fs::write(folder.join(format!("{name}.pem")), authority.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &*authority).unwrap();
    fs::write(folder.join("hub.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("hub.key"), key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_and_the_command_line_reach_a_hub_over_tls_by_its_own_ca() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let at = folder.path();
    certified(at, "their-ca");
    certified(at, "our-ca");
    with_remote_site(at);
    let mut config = fs::read_to_string(at.join("usine.toml")).unwrap();
    config.push_str("[web.tls]\ncertificate = \"hub.pem\"\nkey = \"hub.key\"\n");
    fs::write(at.join("usine.toml"), config).unwrap();
    let factory = Factory::start_in(Arc::clone(&folder));
    let url = factory.url.replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://"), "{url}");

    let root = Terminal { folder: at, name: "root" };
    let link = format!("{url}/sign-in/link/{}", factory.link.as_deref().unwrap());
    let (code, complaint) = root.refused(&["login", &link, "--ca", "their-ca.pem"]);
    assert!(code == 6 && complaint.contains("not trusted"), "{code} {complaint}");
    root.told(&["login", &link, "--ca", "our-ca.pem"]);
    let code = root.told(&["site", "enrol", "afar", "--ca", "our-ca.pem"]);

    let agent = configured(at, &url);
    let mut text = fs::read_to_string(&agent).unwrap();
    text.insert_str(0, "ca = \"their-ca.pem\"\n");
    fs::write(&agent, &text).unwrap();
    let file = agent.display().to_string();
    let enrol = ["agent", "enrol", "--config", &file];
    let refused = root.run(&enrol, &code);
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(complaint.contains("an issuer that is not trusted here"), "{complaint}");
    fs::write(&agent, text.replace("their-ca.pem", "our-ca.pem")).unwrap();
    // The code reached nobody and still works; it comes by standard input.
    let enrolled = root.run(&enrol, &code);
    assert!(enrolled.status.success(), "{}", String::from_utf8_lossy(&enrolled.stderr));
    let _agent = AgentProcess::start(&agent);
    for _ in 0..400 {
        let site = root.json(&["site", "show", "afar", "--ca", "our-ca.pem"]);
        if site["inventory"]["engine"] == "local" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the agent never told what it has");
}
