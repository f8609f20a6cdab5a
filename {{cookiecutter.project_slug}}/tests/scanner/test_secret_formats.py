"""Each kind of credential is found, and what only looks like it is not."""

import base64
from pathlib import Path

import pytest

from scanner.secrets import formats, tokens
from scanner.secrets.engine import find

from .secret_samples import FORMED, NAMED, placeholder, value


def kinds(text: str, path: str = "settings.ini") -> set[str]:
    return {secret.kind.id for secret in find(text.encode(), path)}


@pytest.mark.parametrize("name", FORMED)
def test_a_value_of_the_published_form_is_found_by_its_own_id(name):
    text = f"before {value(FORMED[name])} after"

    assert kinds(text) == {f"MCP-SEC-{name}"}


@pytest.mark.parametrize("name", FORMED)
@pytest.mark.parametrize("size", [0, tokens.LONG])
def test_it_is_found_behind_a_sign_in_short_and_in_long_texts(name, size):
    text = f"x={value(FORMED[name])}\n" + "some_longer_name2 " * (size // 16)

    assert kinds(text) == {f"MCP-SEC-{name}"}


@pytest.mark.parametrize("name", FORMED)
def test_a_placeholder_of_the_same_form_is_left_alone(name):
    assert kinds(f'client = "{placeholder(FORMED[name])}"') == set()


def test_a_webhook_is_found_in_its_whole_url():
    hook = value(FORMED["DISCORD-WEBHOOK"])

    assert kinds(f"https://discord.com{hook}") == {"MCP-SEC-DISCORD-WEBHOOK"}


@pytest.mark.parametrize("rest", ["", "<b200>"])
def test_a_short_lived_bedrock_key_is_found(rest):
    url = base64.b64encode(b"bedrock.amazonaws.com").decode()
    key = value(f"bedrock-api-key-{url}{rest}")

    assert kinds(key) == {"MCP-SEC-AWS-BEDROCK"}


@pytest.mark.parametrize("index", ["IcHlwaS5vcmc", "NdGVzdC5weXBpLm9yZ"])
def test_a_token_of_either_index_is_found(index):
    assert kinds(value(f"pypi-AgE{index}<w60>")) == {"MCP-SEC-PYPI"}


def test_the_table_of_forms_holds_no_credential():
    table = Path(formats.__file__).with_suffix(".toml")

    assert kinds(table.read_text("utf-8"), table.name) == set()


@pytest.mark.parametrize("name", NAMED)
def test_a_value_behind_its_issuers_name_is_found_by_its_own_id(name):
    issuer, form = NAMED[name]

    assert kinds(f'{issuer}_token = "{value(form)}"') == {f"MCP-SEC-{name}"}


@pytest.mark.parametrize("name", NAMED)
def test_the_same_value_without_a_telling_name_is_left_alone(name):
    form = NAMED[name][1]

    assert kinds(f'colour = "{value(form)}"') == set()


@pytest.mark.parametrize("form", [form for _, form in NAMED.values()])
def test_a_value_has_one_of_the_sizes_of_its_form(form):
    assert len(value(form)) in formats.sizes(form)
    assert 1000 not in formats.sizes("<A4-6>x(a|bcd)<g>")
    assert formats.sizes("<A4-6>x(a|bcd)<g>") == range(42, 47)


def test_every_kind_in_the_table_has_a_sample():
    known = {each.kind.id for each in formats.load()}

    assert known == {f"MCP-SEC-{name}" for name in [*FORMED, *NAMED]}
