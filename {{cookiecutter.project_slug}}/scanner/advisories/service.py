"""Fetching single records from an OSV service, for their severity.

https://google.github.io/osv.dev/get-v1-vulns/
"""

import ipaddress
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from ..tools import ToolError

DEFAULT = "https://api.osv.dev"
TIMEOUT = 10.0  # seconds for one record
MAX_RECORD = 4 * 2**20  # bytes
MAX_RECORDS = 500  # of one scan; of the others the severity is unknown
AT_ONCE = 8
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{2,80}")


def service_url(given: str) -> str:
    """Return the service's address without its slash at the end.

    Raises:
        ToolError: What it says could be changed on its way here (CWE-319).
    """
    parts = urlsplit(given)
    safe = parts.scheme == "https" or (
        parts.scheme == "http" and is_local(given)
    )
    if not safe or not parts.hostname:
        raise ToolError(f"{given}: advisories come over https, or from here")
    return given.rstrip("/").removesuffix("/v1")


def is_local(url: str) -> bool:
    """Tell whether the address is one of this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def records(url: str, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the records that the service has; those it lacks are left out."""
    wanted = [name for name in sorted(set(ids)) if _ID.fullmatch(name)]
    proxies = urllib.request.ProxyHandler({} if is_local(url) else None)
    opener = urllib.request.build_opener(proxies)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fetched = pool.map(
            lambda name: _record(opener, f"{url}/v1/vulns/{name}"),
            wanted[:MAX_RECORDS],
        )
        pairs = zip(wanted, fetched, strict=False)
        return {name: record for name, record in pairs if record}


def _record(
    opener: urllib.request.OpenerDirector, url: str
) -> Mapping[str, Any]:
    try:
        with opener.open(url, timeout=TIMEOUT) as response:
            record = json.loads(response.read(MAX_RECORD))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
