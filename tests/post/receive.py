"""Receives letters and webhooks for tests.

The first line printed names the ports, then comes one line of JSON for each letter and each call of
a webhook. Letters to `nobody@` are refused for good. A webhook at
`/broken` fails, one at `/moved` is redirected, any other is taken; with a secret in the file SECRET
the reference library of Standard Webhooks says whether it is signed as it should be.

    receive.py SECRET [CERTIFICATE KEY USER PASSWORD]
"""

import email
import email.policy
import json
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

secret_file = Path(sys.argv[1])
printing = threading.Lock()


def tell(value):
    with printing:
        print(json.dumps(value), flush=True)


class Mailbox:
    """Takes letters, and refuses those that tests want refused."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        headers = {name.lower(): str(value) for name, value in message.items()}
        tell({
            "letter": headers,
            "to": envelope.rcpt_tos,
            "text": message.get_body(("plain",)).get_content(),
            "secured": session.ssl is not None,
            "signed_in": bool(session.authenticated),
        })
        return "250 taken"


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        genuine = None
        if secret_file.exists():
            try:
                Webhook(secret_file.read_text().strip()).verify(body, headers)
                genuine = True
            except WebhookVerificationError:
                genuine = False
        tell({"webhook": self.path, "headers": headers, "body": json.loads(body), "genuine": genuine})
        status = {"/broken": 500, "/moved": 302}.get(self.path, 204)
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


settings = {}
if len(sys.argv) > 2:
    certificate, key, user, password = sys.argv[2:6]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        known = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        return AuthResult(success=known == (user, password))

    settings = {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticate,
    }

smtp = free_port()
controller = Controller(Mailbox(), hostname="127.0.0.1", port=smtp, **settings)
controller.start()
http = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=http.serve_forever, daemon=True).start()
tell({"smtp": smtp, "http": http.server_address[1]})
# The test closes our input when it is done.
sys.stdin.read()
controller.stop()
