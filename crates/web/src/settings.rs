//! What the operator may choose about the web face. `usine` reads it from the configuration.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::oidc::Providers;

/// How often one client may call: `burst` at once, then `per_minute` on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Requests at once.
    pub burst: NonZeroU32,
    /// Requests in the long run.
    pub per_minute: NonZeroU32,
}

impl Rate {
    /// `burst` requests at once and `per_minute` in the long run; zero counts as one.
    pub const fn new(burst: u32, per_minute: u32) -> Self {
        const fn at_least_one(count: u32) -> NonZeroU32 {
            match NonZeroU32::new(count) {
                Some(count) => count,
                None => NonZeroU32::MIN,
            }
        }
        Self { burst: at_least_one(burst), per_minute: at_least_one(per_minute) }
    }
}

/// Where the addresses of clients are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// From the connection itself.
    Connection,
    /// From the last entry of `X-Forwarded-For`, which a trusted proxy in front of us appends.
    ForwardedFor,
}

/// Which scheme browsers use to reach us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP, for this machine and for tests: cookies go without `Secure`.
    Http,
    /// HTTPS, ended by us or by a proxy: cookies carry `Secure` and the `__Host-` prefix.
    Https,
}

/// The web face as the operator chose it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How browsers reach us.
    pub scheme: Scheme,
    /// How clients are told apart.
    pub client_address: ClientAddress,
    /// The rate for everything else.
    pub rate: Rate,
    /// The rate for sign-in and registration, which cost a password hash each.
    pub sign_in_rate: Rate,
    /// The longest body of an ordinary request, in bytes. Uploads have their own limit.
    pub body_bytes_max: usize,
    /// The longest time an ordinary request may take. Uploads and long polls have their own.
    pub request_timeout: Duration,
    /// Who else may say who somebody is.
    pub providers: Providers,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            scheme: Scheme::Http,
            client_address: ClientAddress::Connection,
            rate: Rate::new(600, 3_000),
            sign_in_rate: Rate::new(20, 20),
            body_bytes_max: 512 * 1024,
            request_timeout: Duration::from_secs(30),
            providers: Providers::default(),
        }
    }
}
