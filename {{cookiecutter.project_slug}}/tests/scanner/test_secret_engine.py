"""Credentials by structure and by name; placeholders are understood."""

import base64
import json
import re
import string
import time
from hashlib import blake2b

import pytest

from scanner.secrets import formats, judge, names
from scanner.secrets.engine import find
from scanner.secrets.source import Budget

from .secret_samples import FORMED, value

KEY, TOKEN, URL = "MCP-SEC-001", "MCP-SEC-002", "MCP-SEC-003"
ASSIGNED, PASSWORD = "MCP-SEC-004", "MCP-SEC-005"
HEADER, COMMAND = "MCP-SEC-006", "MCP-SEC-007"
MANIFEST, STORE = "MCP-SEC-008", "MCP-SEC-009"
LOGIN, LOCKED = "MCP-SEC-011", "MCP-SEC-015"
SAMPLE, HASHES = "MCP-SEC-013", "MCP-SEC-014"

PASS = "hunt" + "er2Hx"
DRAWN = value("<A32>")
LETTERS = value("<l36>")
BYTES = bytes(128 + n * 37 % 128 for n in range(26)) + b"a"
BODY = "\n".join(value("<b64>", seed) for seed in range(20))


def b64(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return base64.b64encode(data).decode()


def jwt(claims: object, header: object = None) -> str:
    parts = (header or {"alg": "HS256", "typ": "JWT"}, claims)
    encoded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode()
        for part in parts
    ]
    return ".".join([*(part.rstrip("=") for part in encoded), DRAWN])


def pem(kind: str = "RSA ", body: str = BODY, line: str = "\n") -> str:
    label = f"{kind}PRIVATE" + " KEY"
    text = f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"
    return text.replace("\n", line)


def kinds(text: str, path: str = "notes.txt") -> list[str]:
    return [secret.kind.id for secret in find(text.encode(), path)]


PLANTED = {
    "pem": (KEY, pem()),
    "pkcs8": (KEY, pem("")),
    "openssh": (KEY, pem("OPENSSH ")),
    "encrypted pem": (
        LOCKED,
        pem(body=f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES,00FF\n\n{BODY}"),
    ),
    "encrypted pkcs8": (LOCKED, pem("ENCRYPTED ")),
    "encrypted openssh": (
        LOCKED,
        pem("OPENSSH ", "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1" + BODY),
    ),
    "openssh as it is": (
        KEY,
        pem("OPENSSH ", "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUA" + BODY),
    ),
    "pem in a string": (KEY, f'key = "{pem(line=chr(92) + "n")}"'),
    "pem in code": (KEY, pem(line='\\n"\n    "')),
    "short ed25519 key": (KEY, pem("", body=value("<b64>"))),
    "pgp": (
        KEY,
        pem("PGP ").replace("KEY-----", "KEY BLOCK-----"),
    ),
    "pgp, with its sum": (
        KEY,
        pem("PGP ", value("<b64>") + "\n=" + value("<b4>")).replace(
            "KEY-----", "KEY BLOCK-----"
        ),
    ),
    "pem in a log": (KEY, "\n" + pem(line="\n#6 0.245 ")),
    "putty": (
        KEY,
        "PuTTY-User-Key" + "-File-3: ssh-rsa\nComment: x\nPrivate-Lines: 8\n",
    ),
    "pem in base64": (KEY, b64(pem())),
    "jwt": (TOKEN, jwt({"sub": "alice", "exp": 1})),
    "jwt in base64": (TOKEN, b64(jwt({"sub": "alice"}))),
    "url": (URL, f"postgres://app:{PASS}@db.internal/app"),
    "url without a user": (URL, f"redis://:{PASS}@cache:6379/0"),
    "url, an at sign": (URL, "ftp://bot" + ":hunt@r2Hx@host/x"),
    "url, escaped": (URL, "https://bot" + ":p%40ss%21word9@host/x"),
    "api key": (ASSIGNED, f'API_KEY = "{DRAWN}"'),
    "camel case": (ASSIGNED, f'const clientSecret = "{DRAWN}";'),
    "typed": (ASSIGNED, f'token: str = "{DRAWN}"'),
    "json": (ASSIGNED, json.dumps({"refresh_token": DRAWN})),
    "yaml": (ASSIGNED, f"  access_token: {DRAWN}"),
    "env": (ASSIGNED, f"export SIGNING_KEY={DRAWN}"),
    "xml": (ASSIGNED, f"<apiToken>\n    {DRAWN}\n</apiToken>"),
    "element with words": (
        ASSIGNED,
        f"<id>{{acme}}</id>\n<secret>{{acme V1 {DRAWN}}}</secret>",
    ),
    "table": (ASSIGNED, f"api key | {DRAWN}\n"),
    "prose": (ASSIGNED, f"[DEBUG] Using token {DRAWN}"),
    "letters alone": (ASSIGNED, f'token = "{LETTERS}"'),
    "few letters": (
        ASSIGNED,
        'client_secret = "9VROD0TR8VN' + 'W4ZEC0U2YK5W9X0B2HO"',
    ),
    "sign within": (ASSIGNED, f"API_KEY={DRAWN[:12]}%{DRAWN[12:]}"),
    "four letters by chance": (
        ASSIGNED,
        f'token = "{DRAWN[:9]}a' + f'fakeb{DRAWN[9:]}"',
    ),
    "service": (ASSIGNED, f'onesignal: "{DRAWN}"'),
    "service, loose": (ASSIGNED, f"mixpanel {DRAWN} "),
    "argument": (ASSIGNED, f'setProperty("API_TOKEN", "{DRAWN}")'),
    "name and value": (
        ASSIGNED,
        f"- name: API_TOKEN\n  value: {DRAWN}",
    ),
    "uuid": (ASSIGNED, f'api_token = "{value("<x8>-<x4>-<x4>-<x4>-<x12>")}"'),
    "password": (PASSWORD, f'DB_PASSWORD = "{PASS}"'),
    "password of letters": (PASSWORD, 'password = "opensesamum"'),
    "password in env": (PASSWORD, f"POSTGRES_PASSWORD={PASS}"),
    "password in yaml": (PASSWORD, f"  password: {PASS}"),
    "password in xml": (PASSWORD, f"<password>{PASS}</password>"),
    "password in json": (PASSWORD, json.dumps({"passwd": PASS})),
    "password as argument": (PASSWORD, f"login(password='{PASS}')"),
    "password compared": (PASSWORD, f'if password == "{PASS}":'),
    "password in short": (PASSWORD, f"DB_PSWD={PASS}"),
    "password, misspelt": (PASSWORD, f"PASWORD={PASS}"),
    "password with braces": (PASSWORD, 'password = "m{{h}o)p$' + '{e]No4"'),
    "password in a flag": (PASSWORD, f"mysql --password {PASS} app"),
    "password in a DSN": (PASSWORD, f"Server=x;Password={PASS};"),
    "password as default": (
        PASSWORD,
        f'environ.get("DB_PASSWORD", "{PASS}")',
    ),
    "password as fallback": (
        PASSWORD,
        f'getenv("DB_PASSWORD") or "{PASS}"',
    ),
    "password of a pair": (PASSWORD, f'get(url, auth=("me", "{PASS}"))'),
    "password of Terraform": (
        PASSWORD,
        f'variable "db_password" {{\n  type = x\n  default = "{PASS}"\n}}',
    ),
    "password of a login": (PASSWORD, f'server.login("me", "{PASS}")'),
    "password with signs": (PASSWORD, 'pwd = "Tr0ub4dor&3"'),
    "dockerfile": (PASSWORD, f"ENV DB_PASSWORD={PASS}"),
    "bearer": (HEADER, f"Authorization: Bearer {DRAWN}"),
    "bearer in a name": (ASSIGNED, f'apiToken := "Bearer {DRAWN}"'),
    "few digits": (ASSIGNED, 'token = "LqTsNMbdWkEmZ' + 'WfxrvWTUKVRbcKN7Qz"'),
    "hex of both cases": (ASSIGNED, f'token = "Fa{value("<x30>")}"'),
    "basic": (HEADER, f"Authorization: Basic {b64(f'me:{PASS}')}"),
    "short header": (HEADER, "curl -H 'Api-Token: Sk94HG7f" + "6KB' host"),
    "key header": (HEADER, f'-H "X-Api-Key: {DRAWN}"'),
    "curl": (COMMAND, f"curl -u admin:{PASS} https://host"),
    "curl, quoted": (COMMAND, f"curl -s --user 'admin:{PASS}' https://host"),
    "docker login": (COMMAND, f"docker login -u me -p {DRAWN} host"),
    "mysql": (COMMAND, f"mysql -u root -p{PASS} app"),
    "redis": (COMMAND, f"redis-cli -h cache -a {PASS} PING"),
    "docker config": (
        LOGIN,
        json.dumps({"auths": {"host": {"auth": b64(f"me:{PASS}")}}}),
    ),
    "docker config in a string": (
        LOGIN,
        json.dumps(json.dumps({"auth": b64(f"me:{PASS}")})),
    ),
    "npmrc": (LOGIN, f"//registry.example.org/:_auth={b64(f'me:{PASS}')}"),
    "sshpass": (COMMAND, f"sshpass -p {PASS} ssh host"),
    "mysqldump": (COMMAND, f"mysqldump --user=root -p{PASS} app > x"),
    "another login": (COMMAND, f"oc login -u me -p {PASS} https://host"),
    "SQL": (COMMAND, f"ALTER USER a IDENTIFIED BY '{PASS}';"),
    "SQL with a plugin": (
        COMMAND,
        f"ALTER USER a IDENTIFIED WITH caching_sha2_password BY '{PASS}';",
    ),
    "SQL, bare": (COMMAND, f"CREATE USER a IDENTIFIED BY {PASS};"),
    "SQL, a role": (COMMAND, f"CREATE ROLE a WITH LOGIN PASSWORD {PASS};"),
    "psexec": (COMMAND, f"psexec \\\\\\\\host -u admin -p {PASS} cmd"),
    "directory": (
        COMMAND,
        f'new DirectoryEntry("LDAP://host",\n  "me@host", "{PASS}");',
    ),
    "url of an address": (URL, f"smtps://me@host.org:{PASS}@smtp.host.org"),
    "a scheme of its own": (HEADER, f"Authorization: hostv1 {value('<b80>')}"),
    "bytes of no text": (ASSIGNED, f'api_key = "{b64(BYTES)}"'),
    "a row of keys": (SAMPLE, 'token = "abcdefgh123' + '45678"'),
    "header in rows": (SAMPLE, "curl -H 'Api-Token: abcdefgh1" + "2345678' h"),
    "two rows in turn": (SAMPLE, 'token = "a1b2c3d4e5f6' + 'g7h8i9j0"'),
    "half a row": (SAMPLE, f'token = "1234567890abcdefg{DRAWN[:8]}"'),
    "a row in a form": (
        SAMPLE,
        "ghp_1234567890abcdefghij" + "1234567890123456",
    ),
    "hash": (HASHES, f"password_hash: $2b$12${value('<A53>')}\n"),
    "netrc": (COMMAND, f"machine host\n  login me\n  password {PASS}\n"),
    "shadow": (
        HASHES,
        f"x:*:1:0:::\nroot:$6${value('<A16>')}${value('<A86>')}:19000:0:9:7:::",
    ),
    "htpasswd": (HASHES, f"ada:$apr1${value('<A8>')}${value('<A22>')}\n"),
    "a row for a service": (SAMPLE, 'ipstack_key = "1234567890abcdef' + '12"'),
    "a part again": (SAMPLE, "tomtom_token=" + "abcd12" * 5),
    "service and word": (SAMPLE, "calendarific SECRET=" + "a1b2c3d4e5f6" * 3),
    "glued to the word": (SAMPLE, "moonclerkKEY-0123456789" + "abcdef012345"),
    "service before": (ASSIGNED, f"datadog-secrettoken-{value('<x32>')}"),
    "service and a row": (SAMPLE, "ipstack 1234567890" + "abcdef12"),
    "behind ENV": (PASSWORD, f"ENV DB_PASSWORD {PASS}"),
    "chpasswd": (COMMAND, f"chpasswd:\n  list: |\n    root:{PASS}\n"),
    "chpasswd, piped": (COMMAND, f'RUN echo "root:{PASS}" | chpasswd'),
    "key of a network": (PASSWORD, f'psk="{PASS}"'),
    "key that signs": (COMMAND, f"jwt.sign(payload, '{PASS}')"),
    "login of .NET": (
        COMMAND,
        f'new NetworkCredential("me@host", "{PASS}");',
    ),
    "unseal": (COMMAND, f"vault operator unseal {value('<b44>')}"),
    "first login": (COMMAND, f"proceed to installation:\n\n{value('<x32>')}"),
    "option": (PASSWORD, f'setopt(curl, CURLOPT_PASSWORD, "{PASS}")'),
    "secret as default": (PASSWORD, f'getenv("APP_SECRET", "{PASS}!")'),
    "password in prose": (PASSWORD, f'The password is "{PASS}".'),
    "sign at the start": (PASSWORD, 'password = "]x9(K' + 'q&mT7+"'),
    "signs of variables": (
        PASSWORD,
        "SECRET_KEY = '" + "u8@c2@v%(w9$(=k4%s!'",
    ),
    "signs of a format": (PASSWORD, "password = '" + "h^?{qT/El7%r$t'"),
    "behind a line's end": (
        "MCP-SEC-GITHUB-PAT",
        f'"the key:\\n{value(FORMED["GITHUB-PAT"])}"',
    ),
    "behind a colour": (
        "MCP-SEC-GITHUB-PAT",
        f"\x1b[1;93m{value(FORMED['GITHUB-PAT'])}\x1b[0m",
    ),
    "constant of a class": (
        ASSIGNED,
        f'public static final String API_KEY = "{DRAWN}";',
    ),
    "constant with a type": (ASSIGNED, f'const SECRET: &str = "{DRAWN}";'),
    "range in a uuid": (
        ASSIGNED,
        "api_token: dfd032ff-ad83-4de0-9855" + "-82ab4324d607",
    ),
    "key of a cipher": (ASSIGNED, f'x = Fernet(b"{b64(DRAWN)}")'),
    "password in a map": (PASSWORD, f"- {{name: a, password: {PASS}}}"),
    "password of a store": (PASSWORD, f"keytool -srcstorepass {PASS} -v"),
    "htpasswd, called": (COMMAND, f"htpasswd -bc .htpasswd admin {PASS}"),
    "sudo": (COMMAND, f"echo {PASS} | sudo -S reboot"),
    "directory's login": (COMMAND, f"binddn cn=admin\nbindpw {PASS}\n"),
    "search in a directory": (COMMAND, f"ldapsearch -x -w {PASS} -b dc=x"),
    "dump of a database": (COMMAND, f"mongodump -u root -p {PASS} --out x"),
    "query": (COMMAND, f"sqlcmd -S db -U sa -P '{PASS}' -Q x"),
    "share": (COMMAND, f"smbclient //host/x -U bob%{PASS}"),
    "block of YAML": (PASSWORD, f"password: |\n  {PASS}\n"),
    "section of XML": (PASSWORD, f"<password><![CDATA[{PASS}]]></password>"),
    "VPN": (COMMAND, f"<auth-user-pass>\nbob\n{PASS}\n</auth-user-pass>"),
    "zeros in a form": (
        "MCP-SEC-AZURE-DEVOPS",
        value("<A52>JQQJ99<A6>") + "A" * 12 + value("AZDO<A4>"),
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_credential_is_found_once_by_its_own_id(name):
    kind, text = PLANTED[name]

    assert kinds(text) == [kind]


CLEAN = {
    "public key": pem("RSA ").replace("PRIVATE", "PUBLIC"),
    "head of a key": "-----BEGIN PRIVATE" + " KEY-----",
    "key cut short": pem(body="MIIEvQIBADANBgkqhkiG9w0BAQ..."),
    "words with dots": "eyJhbGciOiJIUzI1NiJ9.eyJub3QgYSB0b2tlbg.x",
    "jwt of the manual": jwt({"sub": "1234567890", "name": "John Doe"}),
    "jwt without claims": jwt({"some": "payload"}),
    "url of the manual": "postgres://user:password@localhost/db",
    "url with a variable": "redis://:${REDIS_PASSWORD}@cache",
    "url without a password": "https://example.com:8080/a@b",
    "url with the user twice": "amqp://guest99:guest99@localhost",
    "changeme": 'password = "changeme"',
    "angle brackets": 'api_key = "<your-api-key-1234567890>"',
    "dollar": "TOKEN=${" + f"TOKEN_{DRAWN[:8]}" + "}",
    "braces": 'token: "' + "{" * 2 + " lookup_9a8b7c6d5e4f " + "}" * 2 + '"',
    "percent": 'password = "%(password)s"',
    "x": 'api_key = "xxxxxxxxxxxxxxxxxxxx1"',
    "example": 'secret = "EXAMPLE7f3kQ9zX2mN8pL5v"',
    "manual of AWS": "AKIAIOSFODNN7" + "EXAMPLE",
    "a row of keys in a form": "ghp_1234567890abcdefghijkl" + "mnopqrstuvwxyz",
    "row as a password": 'password = "qwertyuiop"',
    "label in short": '{"confirmPassword": "Confirm"}',
    "dotted name": 'PASSWORD_VALIDATORS = "django.auth.PasswordValidator2"',
    "type of a secret": 'secrets: "List[V1ObjectReference]"',
    "hash of a password": f'password = "$2b$12${DRAWN}"',
    "hash in a manual": f"hash (of ``password``) is ``{value('<x32>')}``",
    "constant as a value": 'auth = "L2CAP_LM_ENCRYPT"',
    "public JWK": json.dumps({"kty": "EC", "x": DRAWN, "y": DRAWN}),
    "argument that is passed": 'pass "reconnect=False1" to it',
    "call": "token = secrets.token_urlsafe(32)",
    "attribute": "password = settings.database.password2",
    "variable": "password = os.environ['DB_PASSWORD_2']",
    "digest": f'key = "sha256:{value("<x64>")}"',
    "hash": f'token_hash = "{value("<x64>")}"',
    "identifier": f'access_key_id = "{value("<x32>")}"',
    "public": f'public_key = "{DRAWN}"',
    "fingerprint": f"GPG_KEY={value('<u40>')}",
    "commit": f'commit = "{value("<x40>")}"',
    "uuid": f'id = "{value("<x8>-<x4>-<x4>-<x4>-<x12>")}"',
    "constant": 'PASSWORD_ENV = "KRB5_PASSWORD"',
    "label": 'passwordLabel: "Enter your password:"',
    "rule": 'update_password: "always"',
    "type": 'grant_type = "password"',
    "selector": 'addPassword = "#add-password"',
    "address": 'password = "anonymous9@host.org"',
    "default": 'environ.get("DB_PASSWORD", "password")',
    "pair of the manual": 'get(url, auth=("user", "pass"))',
    "monkey": f'monkey = "{DRAWN}"',
    "author": f'author = "{DRAWN}"',
    "bearer": "Authorization: Bearer $TOKEN",
    "basic": f"Authorization: Basic {b64('user:password')}",
    "curl": 'curl -u "$USER:$PASSWORD" https://host',
    "host and port": "see https://me@host.org:8080/a@b and x@y",
    "SQL of a manual": "CREATE USER a IDENTIFIED BY 'password';",
    "curl of the manual": "curl -u user:password https://host",
    "netrc": "machine host login me password $PASSWORD",
    "base64 of words": f"token: {b64('secret-value')}",
    "key of ssh": f'host_token = "AAAAC3NzaC1lZDI1NTE5AAAAI{DRAWN}"',
    "a finger rested": 'token = "5555555dAAAAA7777777CcccCFaaaaaa"',
    "session of an interpreter": f'>>> login(token="{DRAWN}")',
    "output of it": f"    >>> app.secret_key()\n    '{DRAWN}'\n",
    "string that is filled in": "x = f\"secret='{b64encode(key2).decode()}'\"",
    "second line of it": f'>>> login(\n...     password="{PASS}")',
    "websocket": f"Sec-WebSocket-Key: {b64(DRAWN[:16])}",
    "basic without a colon": "Authorization: Basic not" + "abase64token",
    "docker config": json.dumps({"auth": b64("user:password")}),
    "docker login": "docker login -u me -p $TOKEN host",
    "docker login, piped": "docker login -u me --password-stdin host",
    "handle": f'next_token = "{DRAWN}"\nchange_token = "{DRAWN}"',
    "made up": f'fake_token = "{DRAWN}"\ninvalid_api_key = "{DRAWN}"',
    "limit": 'LIMITS = {"change_password": "5/m/user"}',
    "name of a class": "oauth2_login = view(WeiboOAuth2Adapter)",
    "range": 'secret = "[0-9A-Za-z_/+=.@-]{1,512}"',
    "ARN": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-XHb67j",
    "algorithm": 'auth = "AWS4-HMAC-SHA256"',
    "call in code": "sign_key = sign(data, padding.PKCS1v15(), digest)",
    "class": 'api_key_mixin = "AsyncOAuthClientMixinBaseWithTokenAuth"',
    "fake, by itself": f'token = "{DRAWN[:9]}_fake_{DRAWN[9:]}"',
    "numbers in a row": 'token = "xoxp-1234-1234-1234-' + value("<x32>") + '"',
    "number": "policy_secret = 0x00000020",
    "commit behind a name": "amazon.aws.git," + value("<x40>"),
    "name without a service": f'colour: "{DRAWN}"',
    "Terraform": 'variable "db_password" {\n  sensitive = true\n}\nx = "a1b2"',
    "page of a service": f'twilio_next_page = "{DRAWN}"',
    "locked login": "daemon:*:19000:0:99999:7:::\nbin:!:19000::::::\n",
    "hash cut short": "root:$6$...:19000:0:99999:7:::\nx:$1$abc:\n",
    "hash of a dummy": f'DUMMY_HASH = "$2b$12${value("<A53>")}"',
    "hash in a session": f">>> hash('x')\n'$2b$12${value('<A53>')}'",
    "public key by itself": f'key = "MFkwEwYHKoZIzj0CAQYI{value("<b80>")}"',
    "base64 of a sentence": f"token: {b64('a sentence, and no key at all')}",
    "base64 of data": f"api_keys: {b64('[1, 2]' + chr(10) + '  {3: 4}')}",
    "base64 of zeros": "EAAAA" + "A" * 20 + "GIBCoDBAUwDgYDVR0PAQH",
    "row without a service": "colour_key=1234567890abcdef" + "12",
    "service without a key": "ipstack_size = 1234567890abcdef" + "12",
    "service alone": "mailjet ABCDEFGHIJKLMNOPQRSTUV" + "WXYZ012345",
    "row far from the word": "ipstack key of the page 1234567890abcdef" + "12",
    "placeholder of a service": 'ipstack_key = "<your-key-1234567890>"',
    "words of a service": 'mailjet_token = "token_of_the_list2_page3"',
    "identified in prose": "The user can be identified by reference2. So",
    "one digit of a service": 'ipstack_key = "1111111111111111111111"',
    "a port, then another host": "http://one:123,two" + ":bar@three/path",
    "header of the manual": "curl -H 'Api-Token: token1' https://host",
    "psexec": "psexec host -u admin -p %PASSWORD% cmd",
    "head of a key in a log": "#6 0.2 -----BEGIN PRIVATE"
    + f" KEY-----\n#6 0.2 {value('<b64>')}\n#6 0.3 done\n",
    "lock": f'url = "https://host/a.whl", hash = "sha256:{DRAWN}"',
    "go.sum": f"host/oauth2/token v1.2.3 h1:{value('<b43>')}=",
    "site key": f'<div class="captcha" data-sitekey="{DRAWN}">',
    "account": f'token_contract = "0x{value("<x40>", 3)}"',
    "dots in a url": f"https://me:{chr(0x2022) * 8}@host",
    "file": f'key = "{value("<x32>")}.png"',
    "advisory": "api_key GHSA-9v7f" + "-9g4p-ffgj",
    "path of a class": 'api_key = "django.http.Http404"',
    "hash of Django": f'PASSWORD = "pbkdf2_sha256$3000${DRAWN}${DRAWN}="',
    "password compared": "if password1 != password2:",
    "zeros of data": value("<A5>") + "A" * 18 + value("<A41>"),
    "hint": 'passwordHint1: "At-least-8-characters"',
    "key to publish": f'stripe = "pk_live_{DRAWN}"',
    "public key in code": f'public_key = "{DRAWN}"; publicKey = "{DRAWN}"',
    "list of words": f'["the client secret", "{PASS}9!"]',
    "service and commit": "Gitea commit: " + "a1b2c3d4e5f6" * 3,
    "algorithm of a token": "jwt.decode(token, 'HS256')",
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_only_looks_like_a_credential_is_left_alone(name):
    assert kinds(CLEAN[name]) == []


def test_a_bare_word_in_code_is_an_expression():
    text = f"password = {PASS}"

    assert kinds(text, "app.py") == []
    assert kinds(f"# {text}", "app.py") == [PASSWORD]
    assert kinds(text, "app.ini") == [PASSWORD]


MANIFESTS = {
    "plain": "kind: Secret\ndata:\n  password: {}\n",
    "data first": "data:\n  extra: {}\nkind: Secret\n",
    "block": "kind: Secret\ndata:\n  file: |\n    {}\n",
    "second document": "kind: Pod\n---\nkind: Secret\ndata:\n  a: {}\n",
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_kubernetes_secret_with_its_values_is_found(name):
    text = MANIFESTS[name].format(b64("admin:nimda"))

    assert kinds(text, "k8s/secret.yaml") == [MANIFEST]


@pytest.mark.parametrize(
    "text",
    [
        "kind: ConfigMap\ndata:\n  a: YWRtaW46bmltZGE=\n",
        "kind: Secret\ndata:\n  a: ${PASSWORD}\n",
        "kind: Secret\nmetadata:\n  name: abcdefgh\n",
    ],
    ids=["config map", "variable", "no data"],
)
def test_a_manifest_without_secret_values_is_left_alone(text):
    assert kinds(text, "k8s/secret.yaml") == []


@pytest.mark.parametrize(
    "path",
    ["a.p12", "certs/a.PFX", "a.jks", "b/c.kdbx", "x.ppk", "a/.htpasswd"],
)
def test_a_key_store_is_found_by_its_name(path):
    assert kinds("\x00\x01", path) == [STORE]
    assert kinds("\x00\x01", f"{path}.md") == []


def test_a_value_that_two_finders_see_is_one_finding():
    token = value(FORMED["GITHUB-PAT"])

    other = value("<A40>")
    assert kinds(f'curl -H "Authorization: Bearer {other}"') == [HEADER]
    for text in (
        f'curl -H "Authorization: Bearer {token}"',
        f"git clone https://me:{token}@a.example/b.git",
        f"github_token = '{token}'",
    ):
        assert kinds(text) == ["MCP-SEC-GITHUB-PAT"]


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("XotBaKAP" + "dYxGKLw", True),
        ("RqYtAHq" + "DQVLuN", True),
        ("MyDatabasePassword", False),
        ("correcthorsebattery", False),
        ("InternalServiceName", False),
        ("AbCdE", False),
    ],
)
def test_letters_alone_are_a_password_where_they_are_drawn(word, found):
    assert bool(kinds(f"db_password: {word}\n", "deploy/all.yml")) is found


def test_each_place_of_a_value_is_told():
    token = value(FORMED["GITHUB-PAT"])

    assert len(kinds(f"a {token}\nb {token}\nc {token}\n")) == 3


def test_a_key_that_its_vendor_publishes_is_left_alone(monkeypatch):
    key = value(FORMED["GCP-KEY"], 7).encode()
    digest = blake2b(key, digest_size=8, person=b"mcp-examples").hexdigest()
    monkeypatch.setattr(formats, "_published", lambda: {digest})

    assert find(b"key = " + key) == []
    assert find(b"key = " + value(FORMED["GCP-KEY"], 3).encode()) != []


def test_every_published_key_is_a_digest():
    assert len(formats._published()) == 18
    assert all(re.fullmatch("[0-9a-f]{16}", x) for x in formats._published())


def test_the_value_is_not_in_what_a_debugger_prints():
    token = value(FORMED["GITHUB-PAT"])

    assert token not in repr(find(token.encode()))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        (b"apiKey", "api_key"),
        (b"APIKey", "api_key"),
        (b"MY_API-KEY", "my_api_key"),
        (b"self.db.password", "self_db_password"),
    ],
)
def test_names_are_compared_in_one_form(name, plain):
    assert names.plain(name) == plain


def test_words_are_told_from_random_letters():
    words = b"application_configuration_parameter_2"
    drawn = value("<a37>").encode()

    assert not judge.random(words)
    assert judge.random(drawn)


HOSTILE = {
    "one letter": b"a" * 2**21,
    "passwords": b"password=" * 2**18,
    "quotes": b'password="' * 2**18,
    "heads of keys": b"-----BEGIN PRIVATE" + b" KEY-----" * 2**17,
    "urls": b"://a:" * 2**18,
    "curl": b"curl -u " * 2**18,
    "headers": b"authorization: " * 2**17,
    "tokens": b"eyJaaaaaaaaaa.eyJaaaaaaaa." * 2**16,
    "machines": b"machine " * 2**18,
    "keys of JSON": b'{"kty":' * 2**18,
    "encrypted": f'token="{DRAWN}"\n'.encode() + b"ENC[" * 2**18,
    "encrypted, closed": f'token="{DRAWN}" ENC[a]\n'.encode() * 2**14,
    "rows": b"password," * 2**9 + b"\n" + b"," * 2**18,
    "text in Base64": b" ".join(
        b"token=" + base64.b64encode(b"\n" * n + b"\xff")
        for n in range(1700, 1800)
    ),
    "users": b" user " * 2**18,
    "hashes": b"a:$6$" * 2**18,
    "services": b"ipstack_key=abcdefgh12345678 " * 2**15,
    "elements": b"<password " * 2**18,
    "bars": b"| password | a |\n|---|---|\n" + b"| password | b |\n" * 2**15,
    "random": string.printable.encode() * 2**14,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_costs_a_bounded_time(name):
    start = time.process_time()

    path = "x.csv" if name == "rows" else "x.txt"
    find(HOSTILE[name], path, Budget(10_000))

    assert time.process_time() - start < 5


def test_a_text_that_is_too_dense_is_said_not_to_be_seen_whole():
    budget = Budget(100)

    find(b"password=" * 1000, "x.txt", budget)

    assert budget.overdrawn


def test_no_expression_of_a_form_can_backtrack():
    forms = "".join(FORMED.values())

    assert not re.search(r"[*+]\)[*+{]", forms)
