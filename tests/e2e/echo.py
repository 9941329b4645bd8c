"""An API for tests of routes: says its name, and counts what it was asked."""

import http.server
import os

NAME = os.environ["NAME"]


class Echo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        Echo.count += 1
        prefix = self.headers.get("x-forwarded-prefix", "none")
        self._answer(f"{NAME} {self.path} below {prefix}")

    def do_GET(self) -> None:
        self._answer(str(Echo.count))

    def log_message(self, *arguments: object) -> None:
        """Nothing: a line per request would be all that a test sees."""

    def _answer(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("", 8080), Echo).serve_forever()
