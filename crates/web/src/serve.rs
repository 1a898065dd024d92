//! Serving connections: as many as allowed, none of them slow to say what it wants, all of them
//! finished before the end.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::tls::Tls;

/// How many connections are served at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 1_024;
/// How long a client may take to send the head of a request, and to agree on TLS before that.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long open requests may go on after the end was announced.
const GRACE: Duration = Duration::from_secs(5);
/// How long to rest when no connection can be accepted (no more descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` on `listener`, over TLS where that is given, until `end`; then lets open requests
/// finish.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    end: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut end = pin!(end);
    loop {
        let next = tokio::select! {
            () = &mut end => break,
            next = accepted(&listener, &places) => next,
        };
        let (stream, peer, place) = next;
        // Small answers should not wait for more of them.
        let _ = stream.set_nodelay(true);
        let (router, watcher) = (router.clone(), graceful.watcher());
        let acceptor = tls.as_ref().map(|tls| tls.acceptor(Instant::now()));
        tokio::spawn(async move {
            let _place = place;
            let ended = match acceptor {
                None => watcher.watch(connection(stream, peer, router)).await,
                Some(acceptor) => {
                    let agreed = tokio::time::timeout(HEAD_TIMEOUT, acceptor.accept(stream)).await;
                    let Ok(Ok(stream)) = agreed else {
                        tracing::debug!(%peer, "a client did not agree on TLS");
                        return;
                    };
                    watcher.watch(connection(stream, peer, router)).await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection broke");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::info!("ended with requests still open");
    }
}

/// The next connection, and its place among those served.
async fn accepted(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed, so there is always a place in the end.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return (stream, peer, place),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "could not accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One connection, ready to be driven.
fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    peer: SocketAddr,
    router: Router,
) -> impl GracefulConnection<Output = Result<(), hyper::Error>> {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
}
