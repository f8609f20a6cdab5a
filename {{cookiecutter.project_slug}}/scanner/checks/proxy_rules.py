"""What nginx, in front of the server, lets through or believes."""

import re
from collections.abc import Iterator

from ..container.names import is_root
from ..model import Severity
from ..rules import Hit
from ..ruletable import ruled
from .proxy import Directive
from .setup_rules import MOST_CALLS

_OLD = re.compile(r"SSLv[23]|TLSv1(?:\.[01])?")
_WEAK = re.compile(
    r"(?:^|:)\+?(?:[A-Z0-9+-]*(?:NULL|EXP|RC4|DES|MD5|ANON|ADH|AECDH)"
    r"[A-Z0-9+-]*|ALL|LOW|@SECLEVEL=[01])(?=:|$)",
    re.IGNORECASE,
)
_ORIGIN = "access-control-allow-origin"
_CALLER = re.compile(
    r"(?i)x-(?:forwarded-for|real-ip|client-ip)|forwarded|cf-connecting-ip"
)
_TOLD = re.compile(r"\$\{?http_(?:x_\w+|forwarded|\w+_ip)\b")
_CLAIMED = re.compile(
    r"\$\{?http_(?:x_forwarded_for|forwarded|x_client|\w+_ip)\b"
)
_LOCAL = re.compile(r"127\.|\[::1\]|unix:|localhost\b")
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})
_CHOSEN = re.compile(
    r"https?://\$\{?(?:arg_|args\b|cookie_|http_(?!host\b)|query_string\b"
    r"|request_uri\b|uri\b|\d)"
)
_DECODED = re.compile(r"\$\{?(?:document_)?uri\b")
_LOGGED = re.compile(
    r"\$\{?(?:http_authorization|http_cookie|cookie_\w+|request_body"
    r"|arg_(?:\w*token|\w*key|code))\b"
)
_SYSTEM = re.compile(r"/(?:|etc|home|proc|root|run|usr|var)/?")
_GUARDS = ("allow", "auth_basic", "auth_jwt", "auth_request", "deny")
proxy_rule = ruled(__file__, on="proxy")


@proxy_rule("MCP-CFG-026")
def old_tls(top: Directive) -> Iterator[Hit]:
    """TLS 1.0 and 1.1 were taken back in 2021 (RFC 8996).

    They rest on MD5 and SHA-1; ciphers with RC4, DES or no key at all are as
    old.
    """
    for told in top.each("ssl_protocols"):
        if old := [word for word in told.words if _OLD.fullmatch(word)]:
            yield told.hit(f"{old[0]} is allowed")
    for told in top.each("ssl_ciphers"):
        if found := weak_ciphers(":".join(told.words)):
            yield told.hit(f"the ciphers {found[:40]}")


def weak_ciphers(names: str) -> str:
    """Return what a list for OpenSSL lets in that is broken; or nothing."""
    kept = [x for x in names.split(":") if not x.startswith(("!", "-"))]
    found = _WEAK.search(":".join(kept))
    return found[0].strip(":") if found else ""


@proxy_rule("MCP-CFG-027")
def every_origin(top: Directive) -> Iterator[Hit]:
    """Any page that the user opens may then read what the server answers.

    The origin that asks, sent back as it came, is every origin too.
    """
    for told in top.each("add_header", "more_set_headers"):
        name, value, *_ = [*told.words, "", ""]
        if name.lower() == _ORIGIN and value in {"*", "$http_origin"}:
            yield told.hit(f"{name} is {value}")


@proxy_rule("MCP-CFG-028")
def in_clear(top: Directive) -> Iterator[Hit]:
    """A bearer token is all that a thief needs; on the wire it is readable."""
    for server in top.each("server"):
        listens = [x for x in server.block if x.name == "listen"]
        plain = [x for x in listens if not {"ssl", "quic"} & {*x.words}]
        local = all(_LOCAL.match(x.first) for x in plain)
        passes = any(server.each("proxy_pass"))
        if plain and passes and not local and not server.has("return"):
            yield plain[0].hit(f"listen {' '.join(plain[0].words)[:40]}")
    for told in top.each("proxy_ssl_verify"):
        if told.words == ["off"]:
            message = "the server's certificate is not checked"
            yield told.hit(message, Severity.MEDIUM)


@proxy_rule("MCP-CFG-029")
def believed(top: Directive) -> Iterator[Hit]:
    """The server counts and logs a caller by what the proxy says of it.

    A header that the caller wrote, passed on, is the caller's word: a new one
    in each request, and no limit ever counts up to it.
    """
    for told in top.each("proxy_set_header"):
        name, value, *_ = [*told.words, "", ""]
        if _CALLER.fullmatch(name) and _TOLD.match(value):
            yield told.hit(f"{name} is what the caller says")
    for told in top.each("limit_req_zone", "limit_conn_zone"):
        if _CLAIMED.match(told.first):
            yield told.hit(f"who is counted is {told.first[:40]}")
    for told in top.each("set_real_ip_from"):
        if _EVERYBODY & {*told.words}:
            yield told.hit(f"{told.first} is trusted")


@proxy_rule("MCP-CFG-030")
def shown(top: Directive) -> Iterator[Hit]:
    """What lies beside the server is shown: folders, metrics, files.

    ``location /files`` with an alias that ends in a slash takes
    ``/files../`` for the folder above.
    """
    for told in top.each("autoindex"):
        if told.words == ["on"]:
            yield told.hit("autoindex on")
    for told in top.each("root", "alias"):
        if told.words and _SYSTEM.fullmatch(told.first):
            yield told.hit(f"{told.name} {told.first}", Severity.HIGH)
    for place in top.each("location"):
        where = place.words[-1] if place.words else ""
        prefix = len(place.words) == 1 or place.first == "^~"
        for alias in place.block if prefix and not where.endswith("/") else ():
            if alias.name == "alias" and alias.first.endswith("/"):
                message = f"{where[:60]} leads above its alias"
                yield alias.hit(message, Severity.HIGH)
        tells = place.has("stub_status") or (
            "metrics" in where and place.has("proxy_pass")
        )
        if tells and not place.has(*_GUARDS) and not _is_local(top, place):
            yield place.hit(f"{where[:60]} is open to everybody")
    for server in top.each("server"):
        yield from _catch_all(server)


def _is_local(top: Directive, place: Directive) -> bool:
    """Tell whether only this machine reaches the server of a location."""
    for server in top.each("server"):
        listens = [x.first for x in server.block if x.name == "listen"]
        if any(inner is place for inner in server.each("location")):
            return bool(listens) and all(map(_LOCAL.match, listens))
    return False


def _catch_all(server: Directive) -> Iterator[Hit]:
    """Yield what passes the rest on, where single paths are let through."""
    places = [x for x in server.block if x.name == "location" and x.words]
    targets = {
        inner.first
        for place in places
        if place.first in {"=", "~", "~*"}
        for inner in place.block
        if inner.name == "proxy_pass"
    }
    for place in places:
        passed = [x for x in place.block if x.name == "proxy_pass"]
        open_ = place.words == ["/"] and not place.has(*_GUARDS)
        if open_ and any(x.first in targets for x in passed):
            yield place.hit("/ passes on what no other location names")


@proxy_rule("MCP-CFG-031")
def chosen_target(top: Directive) -> Iterator[Hit]:
    """The caller says where the proxy goes: into your own network.

    Cloud metadata, admin pages and other services answer to it.
    """
    for told in top.each("proxy_pass"):
        if _CHOSEN.match(told.first):
            yield told.hit(f"proxy_pass {told.first[:60]}")


@proxy_rule("MCP-CFG-042")
def no_hsts(top: Directive) -> Iterator[Hit]:
    """A client that is once led to http:// is led by whoever stands between.

    Told so, it asks by https alone, for as long as the header says.
    """
    for server in top.each("server"):
        listens = [x for x in server.block if x.name == "listen"]
        ends = any({"ssl", "quic"} & {*x.words} for x in listens)
        told = any(
            x.first.lower() == "strict-transport-security"
            and not re.search(r"max-age=0\b", " ".join(x.words))
            for x in top.each("add_header", "more_set_headers")
        )
        if ends and any(server.each("proxy_pass")) and not told:
            yield listens[0].hit("no Strict-Transport-Security")


@proxy_rule("MCP-CFG-045")
def logged_secret(top: Directive) -> Iterator[Hit]:
    """A log is kept for years, copied to others, and read by many.

    Whoever reads a token in it is its holder.
    """
    for told in top.each("log_format"):
        if found := _LOGGED.search(" ".join(told.words)):
            yield told.hit(f"{found[0]} goes to the log")


@proxy_rule("MCP-CFG-034")
def unbounded(top: Directive) -> Iterator[Hit]:
    """The server's own limit still holds; the proxy has none then.

    A body of any size fills its disk, and a client that asks without a pause
    takes the places of all others.
    """
    for told in top.each("client_max_body_size"):
        if re.fullmatch(r"0[kmgKMG]?", told.first):
            yield told.hit("a request may have any size")
    for told in top.each("limit_req_zone"):
        rate = re.search(r"\brate=(\d+)r/s", " ".join(told.words))
        if rate and int(rate[1]) > MOST_CALLS:
            yield told.hit(f"{rate[0]} bounds nothing")
    for told in top.each("limit_req_dry_run", "limit_conn_dry_run"):
        if told.words == ["on"]:
            yield told.hit(f"{told.name} lets everybody through")
    yield from _unlimited(top)
    if not top.has("include") and not any(map(_includes, top.each("http"))):
        yield from _unused(top)


def _unlimited(top: Directive) -> Iterator[Hit]:
    """Yield a server each that passes requests on as fast as they come."""
    inner = [*top.each("server")]
    servers = [each for each in inner if each.block] or [top]
    over = [x for x in (top, *top.each("http")) if x.has("limit_req")]
    for server in servers if not over else ():
        passed = next(server.each("proxy_pass"), None)
        if passed and not any(server.each("limit_req")):
            yield passed.hit("no limit_req bounds how often a client asks")


def _unused(top: Directive) -> Iterator[Hit]:
    """Yield the zones in which nobody is counted."""
    for kind in ("limit_conn", "limit_req"):
        used = {word for told in top.each(kind) for word in told.words}
        for made in top.each(f"{kind}_zone"):
            zone = re.search(r"\bzone=(\w+)", " ".join(made.words))
            if used and zone and used.isdisjoint((zone[0], zone[1])):
                message = f"the zone {zone[1][:40]} bounds nothing"
                yield made.hit(message, Severity.LOW)


def _includes(http: Directive) -> bool:
    """Tell whether other files may use what is declared here."""
    return any(
        inner.name == "include" and "mime.types" not in inner.first
        for inner in http.block
    )


@proxy_rule("MCP-CFG-039")
def split_answer(top: Directive) -> Iterator[Hit]:
    """``$uri`` is decoded: a ``%0d%0a`` in it ends the header's line.

    The caller goes on with headers of their own, in the answer or in the
    request to the server (CWE-113). ``$request_uri`` is as it came.
    """
    headers = ("add_header", "proxy_set_header")
    for told in top.each("return", "rewrite", "proxy_pass", *headers):
        if any(_DECODED.search(word) for word in told.words):
            yield told.hit(f"{told.name} with $uri")


@proxy_rule("MCP-CFG-041")
def root_proxy(top: Directive) -> Iterator[Hit]:
    """Its workers read what strangers send; as root, a fault in one is all.

    The master alone needs root, for a port below 1024.
    """
    for told in top.each("user"):
        if is_root(told.first):
            yield told.hit(f"user {told.first}")


@proxy_rule("MCP-CFG-040")
def told_version(top: Directive) -> Iterator[Hit]:
    """Each answer says which version it is, and so which faults it has."""
    for told in top.each("server_tokens"):
        if told.first in {"on", "build"}:
            yield told.hit(f"server_tokens {told.first}")
    for http in top.each("http"):
        passes = any(http.each("proxy_pass"))
        said = any(http.each("server_tokens")) or _includes(http)
        if passes and not said:
            yield http.hit("no server_tokens off")
