//! As much of a browser as a sign-in needs: cookies by site, redirects, forms, no scripts.

use std::collections::BTreeMap;

use reqwest::{Client, Method, Url, header, redirect};

/// A person's browser.
#[derive(Clone)]
pub(crate) struct Browser {
    http: Client,
    /// Cookies by site and name.
    cookies: BTreeMap<(String, String), String>,
}

/// A page as it came.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Its address.
    pub(crate) at: String,
    pub(crate) body: String,
    /// Where it leads on by itself.
    pub(crate) refresh: String,
}

impl Page {
    /// The address of the link whose address begins so.
    pub(crate) fn link(&self, beginning: &str) -> String {
        let rest = self.body.split(&format!("href=\"{beginning}")).nth(1);
        let rest = rest.unwrap_or_else(|| panic!("no link {beginning} in {}", self.body));
        plain(&format!("{beginning}{}", rest.split('"').next().unwrap()))
    }

    /// The value of a field.
    fn field(&self, name: &str) -> Option<&str> {
        let tag = self.body.split('<').find(|tag| tag.contains(&format!("name=\"{name}\"")))?;
        tag.split("value=\"").nth(1)?.split('"').next()
    }
}

/// Text as it is meant in an attribute.
fn plain(text: &str) -> String {
    text.replace("&amp;", "&").replace("&#38;", "&")
}

impl Browser {
    /// A new one, for pages below `url` and others of this machine.
    pub(crate) fn new(url: &str) -> Self {
        let builder = site::client::tls::builder(&url.parse().unwrap(), &Default::default());
        let http = builder.unwrap().redirect(redirect::Policy::none()).build().unwrap();
        Self { http, cookies: BTreeMap::new() }
    }

    /// Goes to an address and on to where it leads.
    pub(crate) async fn get(&mut self, address: &str) -> Page {
        self.walk(Method::GET, address, &[], None).await.unwrap()
    }

    /// Sends a form that stands on `page` to `path`, with its token and these fields.
    pub(crate) async fn submit(
        &mut self,
        page: &Page,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Page {
        let address = Url::parse(&page.at).unwrap().join(path).unwrap();
        let token = page.field("csrf").map(|token| ("csrf", token));
        let fields: Vec<_> = fields.iter().copied().chain(token).collect();
        self.walk(Method::POST, address.as_str(), &fields, None).await.unwrap()
    }

    /// Signs in as `name` on the provider's pages and comes back.
    pub(crate) async fn logged_in(&mut self, page: Page, name: &str) -> Page {
        self.answer(page, name, None).await.unwrap()
    }

    /// The same, up to an address with `part` in it, which is not opened.
    pub(crate) async fn logged_in_until(&mut self, page: Page, name: &str, part: &str) -> String {
        self.answer(page, name, Some(part)).await.unwrap_err()
    }

    /// Answers the provider's questions: who, and whether the hub may know.
    async fn answer(
        &mut self,
        mut page: Page,
        name: &str,
        until: Option<&str>,
    ) -> Result<Page, String> {
        while let Some(prompt) = page.field("prompt").map(str::to_owned) {
            let action = page.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
            let action = Url::parse(&page.at).unwrap().join(&plain(action)).unwrap();
            let login = [("prompt", "login"), ("login", name), ("password", "any")];
            let fields = if prompt == "login" { &login[..] } else { &[("prompt", "consent")] };
            page = self.walk(Method::POST, action.as_str(), fields, until).await?;
        }
        Ok(page)
    }

    /// One call and the redirects after it; the address that has `until` in it, instead of going
    /// there.
    async fn walk(
        &mut self,
        method: Method,
        address: &str,
        fields: &[(&str, &str)],
        until: Option<&str>,
    ) -> Result<Page, String> {
        let (mut method, mut address) = (method, Url::parse(address).unwrap());
        for _ in 0..20 {
            if until.is_some_and(|part| address.as_str().contains(part)) {
                return Err(address.into());
            }
            let site = address.origin().ascii_serialization();
            let sent = self.cookies.iter().filter(|((of, _), _)| *of == site);
            let sent: Vec<_> = sent.map(|((_, name), value)| format!("{name}={value}")).collect();
            let mut request = self.http.request(method.clone(), address.clone());
            request = request.header(header::COOKIE, sent.join("; "));
            if method == Method::POST {
                let body: Vec<_> = fields
                    .iter()
                    .map(|(name, value)| {
                        let mut url = Url::parse("http://x/").unwrap();
                        url.query_pairs_mut().append_pair(name, value);
                        url.query().unwrap().to_owned()
                    })
                    .collect();
                let form = "application/x-www-form-urlencoded";
                request = request.header(header::CONTENT_TYPE, form).body(body.join("&"));
            }
            let answer = request.send().await.unwrap();
            self.keep(&site, answer.headers());
            let text = |name: header::HeaderName| {
                answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
            };
            let (onward, refresh) = (text(header::LOCATION), text(header::REFRESH));
            if !answer.status().is_redirection() {
                let refresh = refresh.split_once("url=").map_or("", |(_, url)| url).to_owned();
                let (status, at) = (answer.status().as_u16(), address.to_string());
                return Ok(Page { status, at, body: answer.text().await.unwrap(), refresh });
            }
            address = address.join(&onward).unwrap();
            method = Method::GET;
        }
        panic!("led in circles at {address}");
    }

    /// Keeps and forgets cookies as told.
    fn keep(&mut self, site: &str, headers: &header::HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let key = (site.to_owned(), name.to_owned());
            if value.is_empty() || cookie.contains("Max-Age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}
