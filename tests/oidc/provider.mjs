// Two OpenID providers on this machine, both oidc-provider by panva (certified by the OpenID
// Foundation), for the tests of sign-in. One is honest. The other lies in its tokens, in the way
// that the name of who signs in says.
//
//   node provider.mjs        prints `honest ADDRESS` and `liar ADDRESS`, and serves until killed
//
// Anybody signs in under any name. `known…` is known well, `unverified…` has an address that nobody
// has verified, `nameless…` shows no address.

import { createServer } from "node:http";
import { SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const keys = () => generateKeyPair("RS256", { extractable: true });
const published = await keys();
const secretly = await keys();
const jwk = { ...(await exportJWK(published.privateKey)), kid: "published", alg: "RS256", use: "sig" };

function claimsOf(sub) {
  const assurance = ["https://refeds.org/assurance"];
  if (sub.startsWith("known")) assurance.push("https://refeds.org/assurance/IAP/medium");
  const claims = {
    sub,
    name: `Name of ${sub}`,
    email: `${sub}@example.org`,
    email_verified: !sub.startsWith("unverified"),
    voperson_id: `${sub}-4711@myaccessid.org`,
    schac_home_organization: "example.org",
    voperson_external_affiliation: ["member@example.org", "faculty@example.org"],
    eduperson_assurance: assurance,
  };
  if (sub.startsWith("nameless")) delete claims.email;
  return claims;
}

const client = {
  client_id: "usine",
  client_secret: "a secret between provider and hub",
  // A native client may come back to any port of this machine (RFC 8252).
  application_type: "native",
  redirect_uris: ["http://127.0.0.1/sign-in/back/honest", "http://127.0.0.1/sign-in/back/liar"],
  grant_types: ["authorization_code"],
  response_types: ["code"],
};

const configuration = {
  jwks: { keys: [jwk] },
  clients: [client],
  claims: {
    openid: ["sub"],
    profile: ["name"],
    email: ["email", "email_verified"],
    myaccessid: [
      "voperson_id", "schac_home_organization", "voperson_external_affiliation", "eduperson_assurance",
    ],
  },
  pkce: { required: () => true },
  cookies: { keys: ["for tests alone"] },
  features: { devInteractions: { enabled: true } },
  ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => claimsOf(sub) }),
};

const signed = (claims, key) => new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "published" }).sign(key);

// What the liar makes of a token, by who signs in.
const lies = {
  "another-nonce": (claims) => signed({ ...claims, nonce: "another" }, published.privateKey),
  "no-nonce": ({ nonce, ...claims }) => signed(claims, published.privateKey),
  "another-client": (claims) => signed({ ...claims, aud: "another" }, published.privateKey),
  "one-more-client": (claims) => signed({ ...claims, aud: ["usine", "another"] }, published.privateKey),
  "another-issuer": (claims) => signed({ ...claims, iss: "http://127.0.0.1:9" }, published.privateKey),
  "another-key": (claims) => signed(claims, secretly.privateKey),
  "another-access-token": (claims) => signed({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }, published.privateKey),
  "long-expired": (claims) => signed({ ...claims, iat: claims.iat - 9000, exp: claims.iat - 8000 }, published.privateKey),
  "no-signature": (claims) => new UnsecuredJWT(claims).encode(),
};

async function lie(context, next) {
  await next();
  const { body, oidc } = context;
  if (oidc?.route === "token" && body?.id_token) {
    const claims = decodeJwt(body.id_token);
    if (decodeProtectedHeader(body.id_token).kid !== "published") throw new Error("another key than ours");
    body.id_token = (await lies[claims.sub]?.(claims)) ?? body.id_token;
  }
  if (oidc?.route === "userinfo" && body?.sub === "another-page") body.sub = "somebody-else";
}

for (const name of ["honest", "liar"]) {
  const server = createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration);
  if (name === "liar") provider.use(lie);
  server.on("request", provider.callback());
  console.log(name, issuer);
}
