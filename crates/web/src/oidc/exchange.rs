//! The code flow at one provider: to its door, and what it says of who comes back.

use std::error::Error as StdError;
use std::time::{Duration, Instant};

use app::Secret;
use app::identity::Begun;
use app::identity::provided::Vouched;
use futures_util::future::BoxFuture;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, Client, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest,
    HttpResponse, IdToken, IdTokenClaims, IdTokenFields, Nonce, OAuth2TokenResponse as _,
    PkceCodeChallenge, PkceCodeVerifier, RequestTokenError, StandardErrorResponse,
    StandardTokenResponse, TokenResponse as _, UserInfoClaims,
};
use reqwest::Url;
use tracing::warn;

use super::claims::{Others, map};
use super::http::{Unanswered, carried};
use super::{Provider, is_private};

/// How long what a provider tells of itself holds.
const TOLD_LASTS: Duration = Duration::from_secs(3_600);

/// Why a provider does not vouch for anybody. The operator reads the particulars in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It does not answer, or not as a provider does.
    #[error("the provider does not answer")]
    Away,
    /// It does not take the code: used before, too old, or not of this hub.
    #[error("the provider does not take the code")]
    CodeRefused,
    /// What it says does not prove anything.
    #[error("the provider's token is not valid")]
    NotProved,
}

type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Tokens = StandardTokenResponse<Fields, CoreTokenType>;
type Token =
    IdToken<Others, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Claims = IdTokenClaims<Others, CoreGenderClaim>;
/// The library's client, for tokens with claims beyond the standard's.
type Door = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

type Asked = BoxFuture<'static, Result<HttpResponse, Unanswered>>;

/// Who came back, and by which attempt.
pub(crate) struct Returned<'a> {
    /// The code that the provider gave.
    pub(crate) code: String,
    /// Who the provider says that it is (RFC 9207), if it does.
    pub(crate) issuer: Option<&'a str>,
    /// What its token must repeat.
    pub(crate) nonce: Secret,
    /// What proves that this hub began.
    pub(crate) verifier: Secret,
}

impl Provider {
    /// Where to send somebody to sign in.
    pub(crate) async fn door(&self, begun: &Begun) -> Result<Url, Fault> {
        let client = self.client(self.told(false).await?);
        let verifier = PkceCodeVerifier::new(begun.verifier().reveal().to_owned());
        let state = CsrfToken::new(begun.state.reveal().to_owned());
        let nonce = Nonce::new(begun.nonce().reveal().to_owned());
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, _, _) = client
            .authorize_url(flow, move || state, move || nonce)
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        if is_private(&url) {
            return Ok(url);
        }
        warn!(provider = %self.name, "the provider's door is not https");
        Err(Fault::Away)
    }

    /// Whom the provider vouches for.
    pub(crate) async fn vouched(&self, returned: Returned<'_>) -> Result<Vouched, Fault> {
        if returned.issuer.is_some_and(|issuer| issuer != self.issuer.as_str()) {
            warn!(provider = %self.name, "another provider answered in its place");
            return Err(Fault::NotProved);
        }
        let client = self.client(self.told(false).await?);
        let tokens = self.exchanged(&client, returned.code, returned.verifier).await?;
        let nonce = Nonce::new(returned.nonce.reveal().to_owned());
        let Some(token) = tokens.id_token() else {
            warn!(provider = %self.name, "the provider gave no id_token");
            return Err(Fault::NotProved);
        };
        let claims = match claims_of(&client, token, &tokens, &nonce) {
            // Its keys may have changed since they were read.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                let fresh = self.client(self.told(true).await?);
                claims_of(&fresh, token, &tokens, &nonce)
            }
            other => other,
        };
        let claims = claims.map_err(|error| self.unproved(&error))?;
        let mut said = map(&claims);
        said.extend(self.page_of(&client, &tokens, &claims).await?);
        Ok(Vouched {
            provider: self.name.clone(),
            issuer: self.issuer.as_str().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            claims: self.claims.read(&said),
        })
    }

    /// Exchanges the code for tokens.
    async fn exchanged(
        &self,
        client: &Door,
        code: String,
        verifier: Secret,
    ) -> Result<Tokens, Fault> {
        let request = client.exchange_code(AuthorizationCode::new(code));
        let request = request.map_err(|error| self.away(&error))?;
        let verifier = PkceCodeVerifier::new(verifier.reveal().to_owned());
        let http = self.asking();
        let answer = request.set_pkce_verifier(verifier).request_async(&http).await;
        answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(said)
                if *said.error() == CoreErrorResponseType::InvalidGrant =>
            {
                warn!(provider = %self.name, "the provider does not take the code");
                Fault::CodeRefused
            }
            other => self.away(&other),
        })
    }

    /// The claims of the user's page, if the provider has such pages. It must be the same user's.
    async fn page_of(
        &self,
        client: &Door,
        tokens: &Tokens,
        claims: &Claims,
    ) -> Result<serde_json::Map<String, serde_json::Value>, Fault> {
        let subject = Some(claims.subject().clone());
        let Ok(request) = client.user_info(tokens.access_token().clone(), subject) else {
            return Ok(serde_json::Map::new());
        };
        let http = self.asking();
        let page: UserInfoClaims<Others, CoreGenderClaim> =
            request.request_async(&http).await.map_err(|error| self.unproved(&error))?;
        Ok(map(&page))
    }

    /// What the provider tells of itself; asked again when that is old, or `anew`.
    async fn told(&self, anew: bool) -> Result<CoreProviderMetadata, Fault> {
        let mut told = self.told.lock().await;
        if let Some((at, metadata)) = &*told
            && !anew
            && at.elapsed() < TOLD_LASTS
        {
            return Ok(metadata.clone());
        }
        let http = self.asking();
        let fresh = CoreProviderMetadata::discover_async(self.issuer.clone(), &http).await;
        let fresh = fresh.map_err(|error| self.away(&error))?;
        *told = Some((Instant::now(), fresh.clone()));
        Ok(fresh)
    }

    fn client(&self, metadata: CoreProviderMetadata) -> Door {
        let by_basic = metadata
            .token_endpoint_auth_methods_supported()
            .is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic));
        let proof = if by_basic { AuthType::BasicAuth } else { AuthType::RequestBody };
        let (id, secret) = (self.client_id.clone(), self.client_secret.clone());
        let client = Door::from_provider_metadata(metadata, id, secret);
        client.set_redirect_uri(self.redirect.clone()).set_auth_type(proof)
    }

    /// The workspace's HTTP client, as the library asks for one.
    fn asking(&self) -> impl Fn(HttpRequest) -> Asked + Send + Sync + use<> {
        let client = self.http.clone();
        move |request| Box::pin(carried(client.clone(), request))
    }

    fn away(&self, error: &dyn StdError) -> Fault {
        warn!(provider = %self.name, why = told(error), "the provider cannot be used");
        Fault::Away
    }

    fn unproved(&self, error: &dyn StdError) -> Fault {
        warn!(provider = %self.name, why = told(error), "the provider's word was not taken");
        Fault::NotProved
    }
}

/// The claims of a token that is signed by the provider, for this hub, for this attempt, and that
/// comes with the access token it was made for.
fn claims_of(
    client: &Door,
    token: &Token,
    tokens: &Tokens,
    nonce: &Nonce,
) -> Result<Claims, ClaimsVerificationError> {
    let verifier = client.id_token_verifier();
    let claims = token.claims(&verifier, nonce)?.clone();
    if let Some(expected) = claims.access_token_hash() {
        let failed = ClaimsVerificationError::SignatureVerification;
        let algorithm = token.signing_alg().map_err(failed)?;
        let key = token.signing_key(&verifier).map_err(failed)?;
        let found = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if found.ok().as_ref() != Some(expected) {
            let why = "it came with an access token that it was not made for";
            return Err(ClaimsVerificationError::Other(why.to_owned()));
        }
    }
    Ok(claims)
}

/// What went wrong, with its causes, for the log.
fn told(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
