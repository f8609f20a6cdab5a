import base64
import hashlib
import html.parser
import json
import re
import shutil
import subprocess
import urllib.request

import pytest

from scanner.report import html as page
from tests.scanner import reports

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
VOID = {"meta", "link", "br"}


class Reader(html.parser.HTMLParser):
    """Collects the elements of a page and checks that they nest."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"script", "style"}:
            self.texts.setdefault(self.open[-1], []).append(data)


@pytest.fixture(scope="module")
def text():
    return page.render(reports.full())


@pytest.fixture(scope="module")
def read(text):
    reader = Reader(text)
    assert reader.open == []
    return reader


def test_nothing_is_loaded(read):
    for _, attributes in read.elements:
        for name, value in attributes.items():
            assert name not in {"src", "srcset", "action", "style"}
            assert not name.startswith("on")
            assert name != "href" or value == "data:,"


def test_the_policy_allows_its_own_script_and_style_alone(read):
    policy = next(
        attributes["content"]
        for tag, attributes in read.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        (content,) = read.texts[tag]
        digest = hashlib.sha256(content.encode()).digest()
        named = f"'sha256-{base64.b64encode(digest).decode()}'"
        assert f"{tag}-src {named}" in policy


def test_no_name_becomes_markup(read):
    tags = [tag for tag, _ in read.elements]
    assert tags.count("script") == 1
    assert not {"img", "iframe", "a"} & set(tags)


def test_a_rule_is_explained_where_it_fired(text):
    assert "A .env that git takes" not in text
    assert (
        "Bandit finds this, by the test whose number the rule bears." in text
    )
    assert text.count("Why it matters") == 5


def test_an_accepted_finding_shows_its_reason(text):
    assert "Accepted: ours &lt;b&gt;only&lt;/b&gt;" in text


def browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


SCRIPT = """\
(() => {
  const seen = [];
  const shown = () => document.querySelectorAll(
    "#list > li:not([hidden])").length;
  const set = (name, value) => {
    const field = document.forms[0].elements[name];
    field.value = value;
    field.dispatchEvent(new Event("change", {bubbles: true}));
    seen.push(shown());
  };
  seen.push(shown());
  set("severity", "high");
  set("severity", "");
  set("check", "container");
  set("check", "");
  set("standing", "accepted");
  seen.push(document.getElementById("shown").textContent);
  seen.push(document.documentElement.scrollWidth <= innerWidth);
  seen.push(getComputedStyle(document.body).maxWidth);
  return JSON.stringify(seen);
})()"""


@pytest.mark.skipif(browser() is None, reason="no browser is installed")
def test_a_browser_shows_and_filters_it_without_a_word(text, tmp_path):
    sync = pytest.importorskip("websockets.sync.client")
    file = tmp_path / "report.html"
    file.write_text(text, "utf-8")
    argv = [browser(), "--headless=new", "--no-sandbox", "--disable-gpu"]
    argv += ["--disable-dev-shm-usage", "--window-size=390,800"]
    argv += [f"--user-data-dir={tmp_path / 'profile'}"]
    argv += ["--remote-debugging-port=0", "about:blank"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as process:
        try:
            line = next(x for x in process.stderr if "listening on" in x)
            port = re.search(r":(\d+)/", line)[1]
            told, requests = visit(sync, port, file.as_uri())
        finally:
            process.kill()
    assert told["errors"] == []
    assert requests == [file.as_uri()]
    assert told["value"] == [5, 2, 5, 1, 5, 1, "1", True, "960px"]


def visit(sync, port, address):
    """Open the page, run the script; return what the browser saw."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as answer:
        pages = json.load(answer)
    url = next(p for p in pages if p["type"] == "page")
    errors, requests = [], []
    with sync.connect(url["webSocketDebuggerUrl"], max_size=None) as socket:

        def call(number, method, until=None, **params):
            message = {"id": number, "method": method, "params": params}
            socket.send(json.dumps(message))
            while True:
                event = json.loads(socket.recv(timeout=20))
                name, body = event.get("method"), event.get("params", {})
                if name == "Network.requestWillBeSent":
                    requests.append(body["request"]["url"])
                if name in {"Log.entryAdded", "Runtime.exceptionThrown"}:
                    errors.append(body)
                if until in (name, None) and (until or "id" in event):
                    return event

        for number, area in enumerate(["Network", "Log", "Runtime", "Page"]):
            call(number, f"{area}.enable")
        call(10, "Page.navigate", "Page.loadEventFired", url=address)
        answer = call(11, "Runtime.evaluate", expression=SCRIPT)
        while answer.get("id") != 11:
            answer = json.loads(socket.recv(timeout=20))
    value = json.loads(answer["result"]["result"]["value"])
    own = [url for url in requests if not url.startswith("data:")]
    return {"value": value, "errors": errors}, own
