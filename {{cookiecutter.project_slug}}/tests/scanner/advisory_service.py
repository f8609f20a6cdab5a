"""An OSV service on this machine, and the lock that it is asked about."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pip._internal.models.index import PyPI

Record = dict[str, Any]
INDEX = PyPI.simple_url
FILES = f"https://{PyPI.file_storage_domain}/x"
NOW = "2026-11-20T00:00:00Z"
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"


def record(
    name: str, fixed: str = "2.0", *, number: str = "PYSEC-2099-1", **more: Any
) -> Record:
    """Return a record that concerns every version before ``fixed``."""
    events = [{"introduced": "0"}, {"fixed": fixed}]
    return {
        "schema_version": "1.6.0",
        "id": number,
        "aliases": ["CVE-2099-1"],
        "summary": "it does what it should not",
        "modified": NOW,
        "published": NOW,
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": name},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
            }
        ],
        **more,
    }


def package(
    name: str,
    version: str = "1.0",
    *,
    source: str = f'{{ registry = "{INDEX}" }}',
    hashed: bool = True,
    uploaded: str = NOW,
) -> str:
    """Return a package as uv.lock has it, with one wheel."""
    file = f"{name.lower()}-{version}-py3-none-any.whl"
    wheel = f'url = "{FILES}/{file}", upload-time = "{uploaded}"'
    if hashed:
        wheel += f', hash = "sha256:{"0" * 64}"'
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n'
        f"source = {source}\nwheels = [" + "{" + wheel + "}]\n\n"
    )


def lock(*packages: str, requires: str = "") -> str:
    """Return a uv.lock of these packages and of the project itself."""
    names = re.findall(r'name = "(\S+)"\nversion', "".join(packages))
    wanted = ", ".join('{ name = "' + name + '" }' for name in names)
    own = (
        '[[package]]\nname = "small-server"\nversion = "0.1.0"\n'
        'source = { editable = "." }\n'
        f"dependencies = [{wanted}]\n\n"
        f"[package.metadata]\nrequires-dist = [{requires}]\n\n"
    )
    head = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n\n'
    return head + "".join(packages) + own


@contextmanager
def service(*records: Record) -> Iterator[str]:
    """Serve these records, and yield where."""
    known = {each["id"]: each for each in records}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            asked = json.loads(self.rfile.read(size))
            if self.path == "/v1/querybatch":
                found = [self.found(query) for query in asked["queries"]]
                self.answer({"results": found})
            else:
                self.answer(self.found(asked))

        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            self.answer(known.get(name), 200 if name in known else 404)

        def found(self, query: Any) -> Record:
            name = query["package"]["name"]
            return {
                "vulns": [
                    each
                    for each in records
                    if each["affected"][0]["package"]["name"] == name
                ]
            }

        def answer(self, value: Any, status: int = 200) -> None:
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
