import asyncio
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from {{ cookiecutter.__package_name }}.errors import SettingsError
from {{ cookiecutter.__package_name }}.probe import ask
from {{ cookiecutter.__package_name }}.serving import http
from {{ cookiecutter.__package_name }}.serving.tls import Certificate
from tests.conftest import MakeSettings
from tests.serving.harness import post_call, serving, text_of, until


class Pair:
    """A certificate and its key in files."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "tls.crt"
        self.key = folder / "tls.key"
        self.serial = 0
        self.write()

    def write(
        self, encryption: KeySerializationEncryption | None = None
    ) -> None:
        """Put a new pair there, as a renewal does."""
        key = ec.generate_private_key(ec.SECP256R1())
        self.serial += 1
        name = x509.Name(
            [x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]
        )
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(self.serial)
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.IPAddress(ip_address("127.0.0.1"))]
                ),
                critical=False,
            )
            .sign(key, SHA256())
        )
        self._replace(self.certificate, made.public_bytes(Encoding.PEM))
        self._replace(
            self.key,
            key.private_bytes(
                Encoding.PEM,
                PrivateFormat.PKCS8,
                encryption or NoEncryption(),
            ),
        )

    def _replace(self, file: Path, content: bytes) -> None:
        fresh = file.with_suffix(".new")
        fresh.write_bytes(content)
        os.replace(fresh, file)  # noqa: PTH105 - nothing else is shorter

    @property
    def variables(self) -> dict[str, object]:
        return {
            "MCP_TRANSPORT": "http",
            "MCP_TLS_CERTFILE": self.certificate,
            "MCP_TLS_KEYFILE": self.key,
        }

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


async def serial(port: int) -> int:
    """Return the serial number of the certificate that is shown."""
    anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anybody)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(shown).serial_number


async def test_calls_are_served_over_tls(
    make_settings: MakeSettings, pair: Pair
) -> None:
    async with (
        serving(make_settings(**pair.variables)) as served,
        served.client(verify=pair.trust()) as client,
    ):
        answer = await post_call(client, "echo", {"message": "hello"})
        assert text_of(answer) == "hello"
        assert "strict-transport-security" in answer.headers


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
    ids=["1.1", "1.2", "1.3"],
)
async def test_versions_that_are_broken_are_refused(
    make_settings: MakeSettings,
    pair: Pair,
    version: ssl.TLSVersion,
    accepted: bool,
    recwarn: pytest.WarningsRecorder,
) -> None:
    offered = pair.trust()
    offered.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    offered.set_ciphers("ALL:@SECLEVEL=0")
    offered.maximum_version = version
    async with serving(make_settings(**pair.variables)) as served:
        try:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", served.port, ssl=offered
            )
        except (ssl.SSLError, ConnectionError):
            assert not accepted
        else:
            assert accepted
            writer.close()
    recwarn.clear()


def test_oldest_version_is_set_whatever_openssl_was_built_with(
    pair: Pair,
) -> None:
    made = Certificate(pair.certificate, pair.key, on_event=Told())
    assert made.context.minimum_version == ssl.TLSVersion.TLSv1_2


async def test_cipher_without_forward_secrecy_is_refused(
    make_settings: MakeSettings, pair: Pair
) -> None:
    offered = pair.trust()
    offered.maximum_version = ssl.TLSVersion.TLSv1_2
    offered.set_ciphers("ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256")
    async with serving(make_settings(**pair.variables)) as served:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(
                "127.0.0.1", served.port, ssl=offered
            )


async def test_protocol_is_agreed_on(
    make_settings: MakeSettings, pair: Pair
) -> None:
    offered = pair.trust()
    offered.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(make_settings(**pair.variables)) as served:
        _, writer = await asyncio.open_connection(
            "127.0.0.1", served.port, ssl=offered
        )
        connection = writer.get_extra_info("ssl_object")
        assert connection.selected_alpn_protocol() == "http/1.1"
        writer.close()


async def test_renewed_certificate_is_shown_without_a_restart(
    make_settings: MakeSettings, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "RENEWAL", 0)
    async with serving(make_settings(**pair.variables)) as served:
        assert await serial(served.port) == 1
        pair.write()
        await until(lambda: served.named("tls_reloaded"))
        assert await serial(served.port) == 2


class Told(list[str]):
    def __call__(self, event: str, fields: Mapping[str, object]) -> None:
        self.append(event)


async def test_broken_renewal_changes_nothing(pair: Pair) -> None:
    told = Told()
    certificate = Certificate(pair.certificate, pair.key, on_event=told)
    pair.key.write_text("nonsense", "ascii")
    for _ in range(3):
        await certificate.renew()
    assert told == ["tls_reload_failed"]
    pair.certificate.unlink()
    for _ in range(3):
        await certificate.renew()
    assert told == ["tls_reload_failed"] * 2
    pair.write()
    await certificate.renew()
    assert told[-1] == "tls_reloaded"


async def test_unchanged_files_are_left_alone(pair: Pair) -> None:
    told = Told()
    certificate = Certificate(pair.certificate, pair.key, on_event=told)
    await certificate.renew()
    assert told == []


@pytest.mark.parametrize("fault", ["gone", "nonsense", "other", "locked"])
def test_pair_that_cannot_be_used_is_refused_in_one_line(
    pair: Pair, tmp_path: Path, fault: str
) -> None:
    if fault == "gone":
        pair.key.unlink()
    elif fault == "nonsense":
        pair.certificate.write_text("nonsense", "ascii")
    elif fault == "other":
        key = pair.key.read_bytes()
        pair.write()
        pair.key.write_bytes(key)
    else:
        pair.write(BestAvailableEncryption(b"passphrase"))
    with pytest.raises(SettingsError, match="MCP_TLS_CERTFILE") as refused:
        Certificate(pair.certificate, pair.key, on_event=Told())
    (problem,) = refused.value.problems
    assert "\n" not in problem
    assert str(tmp_path) not in problem


async def test_slow_handshake_is_cut_off(
    make_settings: MakeSettings, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HANDSHAKE_TIMEOUT", 0.3)
    async with serving(make_settings(**pair.variables)) as served:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", served.port
        )
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_probe_of_the_container_trusts_the_servers_own_certificate(
    make_settings: MakeSettings, pair: Pair
) -> None:
    async with serving(make_settings(**pair.variables)) as served:
        variables = {**pair.variables, "MCP_PORT": served.port}
        settings = make_settings(**variables)
        assert await asyncio.to_thread(ask, settings)
        pair.write()
        assert not await asyncio.to_thread(ask, settings)


async def test_probe_of_the_container_tells_life_from_death(
    make_settings: MakeSettings, free_port: int
) -> None:
    settings = make_settings(MCP_TRANSPORT="http", MCP_PORT=free_port)
    assert not await asyncio.to_thread(ask, settings)
    async with serving(settings) as served:
        alive = make_settings(MCP_TRANSPORT="http", MCP_PORT=served.port)
        assert await asyncio.to_thread(ask, alive)
