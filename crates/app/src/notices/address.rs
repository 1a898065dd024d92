//! Where a webhook may lead: nobody must reach, through the hub, what only the hub can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::Error;

/// The longest address of a webhook, in characters.
const LENGTH_MAX: usize = 500;

/// The address of a webhook as somebody wrote it, if it may be one: HTTPS to a public host. Where
/// the operator allows private networks, any host, and HTTP as well.
///
/// # Errors
/// What is wrong with it.
pub fn receiver(text: &str, private: bool) -> Result<Url, Error> {
    let wrong = |text: &str| Error::invalid("url", text);
    let text = text.trim();
    if text.chars().count() > LENGTH_MAX {
        return Err(wrong(&format!("write at most {LENGTH_MAX} characters")));
    }
    let url: Url =
        text.parse().map_err(|_| wrong("is no address, such as https://example.org/notices"))?;
    match url.scheme() {
        "https" => {}
        "http" if private => {}
        "http" => return Err(wrong("must begin with https://, so that nobody reads along")),
        _ => return Err(wrong("must begin with https://")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must not hold a name or password; what arrives is signed"));
    }
    let public = match url.host() {
        Some(Host::Ipv4(ip)) => is_public(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => is_public(IpAddr::V6(ip)),
        // What a name leads to is looked at whenever something is sent there.
        Some(Host::Domain(name)) => name != "localhost" && !name.ends_with(".localhost"),
        None => return Err(wrong("names no host")),
    };
    if public || private {
        return Ok(url);
    }
    Err(wrong("leads into a private network, which the operator of this hub does not allow"))
}

/// Whether an address belongs to the public internet, by the registries of special addresses of
/// IANA (RFC 6890 and its updates).
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| is_public_v6(ip), is_public_v4),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = match (a, b, c) {
        // This network, loopback, link-local, private networks of RFC 1918.
        (0 | 10 | 127, ..) | (169, 254, _) | (192, 168, _) => true,
        (172, 16..=31, _) => true,
        // Shared behind carriers, assignments of the IETF, documentation, 6to4, benchmarks.
        (100, 64..=127, _) | (198, 18 | 19, _) => true,
        (192, 0, 0 | 2) | (192, 88, 99) | (198, 51, 100) | (203, 0, 113) => true,
        // Multicast and what is reserved.
        (224.., ..) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Global unicast is 2000::/3; in it the IETF's own 2001::/23, documentation, 6to4.
    let special =
        matches!((a, b), (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff));
    (0x2000..=0x3fff).contains(&a) && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for public in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2a00:1450:4001::1", "2606:4700::1"]
        {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "127.0.0.1",
            "10.1.2.3",
            "172.20.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2001::1",
            "ff02::1",
            "::127.0.0.1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn a_webhook_leads_over_https_to_a_public_host_unless_the_operator_allows_more() {
        assert!(receiver("https://example.org/notices", false).is_ok());
        for refused in [
            "http://example.org",
            "https://127.0.0.1/x",
            "https://[::1]/",
            "https://localhost/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://a:b@example.org/",
            "ftp://example.org/",
            "example.org",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(receiver(refused, false).is_err(), "{refused}");
        }
        assert!(receiver("http://127.0.0.1:9000/x", true).is_ok());
        assert!(receiver("file:///etc/passwd", true).is_err());
        assert!(receiver("https://a:b@example.org/", true).is_err());
    }
}
