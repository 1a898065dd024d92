//! What carries requests to the hub and answers back.

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use reqwest::{Request, Response};

use super::Error;

/// Carries one request to the hub. The network does; simulations have wires of their own, which lose
/// and repeat what they carry.
pub trait Wire: Send + Sync {
    /// The hub's answer, or [`Error::Unreachable`] and [`Error::Cut`] where there is none.
    fn carry(&self, request: Request) -> BoxFuture<'static, Result<Response, Error>>;
}

impl Wire for reqwest::Client {
    fn carry(&self, request: Request) -> BoxFuture<'static, Result<Response, Error>> {
        let sent = self.execute(request);
        async move { sent.await.map_err(Error::unsent) }.boxed()
    }
}
