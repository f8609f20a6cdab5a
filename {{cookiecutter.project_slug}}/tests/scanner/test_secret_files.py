"""The files of real projects: silent as they are, and heard with a secret.

Every kind of file stands here twice. The clean one holds what a scanner trips
over; the same kind with a credential in use must not be passed over.
"""

import base64
import json

import pytest

from scanner.secrets.engine import find
from scanner.secrets.fixtures import made_up

from .secret_samples import FORMED, value

PASS = "Gran" + "ite7Falcon"
DRAWN = value("<A40>")
HEX = value("<x64>")
UUID = value("<x8>-<x4>-<x4>-<x4>-<x12>")
GITHUB = value(FORMED["GITHUB-PAT"])
OPENAI = value(FORMED["OPENAI"])


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kinds(path: str, text: str) -> list[str]:
    return [secret.kind.id for secret in find(text.encode(), path)]


CLEAN = {
    "README.md": f"""\
Set `OPENAI_API_KEY` first, or pass `--api-key YOUR_API_KEY`:

```bash
export OPENAI_API_KEY="sk-..."
export DATABASE_URL=postgresql://user:password@localhost:5432/app
export GITHUB_TOKEN=ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
export SECRET_KEY=$(openssl rand -hex 32)
curl -H "Authorization: Bearer $TOKEN" -u "$USER:$PASS" https://host/v1
curl -H "Authorization: Bearer <your-token-here>" https://host/v1
docker run -e POSTGRES_PASSWORD=mysecretpassword -d postgres
mysql -u root -p"$MYSQL_PASSWORD" app
```

Install with `pip install app --hash=sha256:{HEX}`.
![coverage](https://host/gh/o/r/branch/main/graph/badge.svg?token=ABC123XYZ)
Anchors: [API keys](#api-keys-and-tokens-2) at commit {value("<x40>")}.
The token looks like `mcp_live_abcdefghijklmnopqrstuvwxyz123456`.
""",
    "compose.yaml": """\
services:
  db:
    image: postgres:18.1-alpine@sha256:"""
    + HEX
    + """
    environment:
      POSTGRES_USER: app
      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}
      PGPASSWORD: "${PGPASSWORD-}"
      POSTGRES_PASSWORD_FILE: /run/secrets/db_password
      DATABASE_URL: postgres://app:${POSTGRES_PASSWORD}@db:5432/app
      API_KEY: ${API_KEY:-}
      REDIS_URL: redis://:$REDIS_PASSWORD@cache:6379/0
    secrets: [db_password, api-token-v2]
secrets:
  db_password:
    file: ./secrets/db_password.txt
  api-token-v2:
    environment: API_TOKEN_V2
""",
    ".env.example": """\
# Copy to .env
DATABASE_URL=postgresql://user:pass@localhost/db
SECRET_KEY=change-me-in-production
SECRET_KEY_BASE=changeme1234567890changeme1234567890
OPENAI_API_KEY=sk-your-key-here-1234567890
STRIPE_SECRET_KEY=sk_test_your_stripe_key_here_1234
AWS_ACCESS_KEY_ID=AKIAXXXXXXXXXXXXXXXX
AWS_SECRET_ACCESS_KEY=your/secret/access/key/goes/here/1234567
SLACK_BOT_TOKEN=xoxb-your-token-1234
JWT_SECRET=replace_this_with_32_random_characters
SMTP_PASSWORD=
ADMIN_PASSWORD=<set-a-strong-password-1>
SENTRY_DSN=
ENCRYPTION_KEY=0000000000000000000000000000000000000000000000000000000000000000
SIGNING_KEY=0123456789abcdef0123456789abcdef
WEBHOOK_SECRET=a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6
GITHUB_TOKEN=ghp_1234567890abcdefghijklmnopqrstuvwxyz
""",
    "openapi.yaml": f"""\
openapi: 3.1.0
components:
  securitySchemes:
    apiKey: {{type: apiKey, in: header, name: X-API-Key}}
    oauth2:
      type: oauth2
      flows:
        clientCredentials: {{tokenUrl: https://id.host/oauth2/v1/token}}
  schemas:
    Login:
      properties:
        password: {{type: string, format: password, minLength: 8}}
        access_token: {{type: string, example: eyJhbGciOi...}}
        user_id: {{type: string, example: {UUID}}}
        operationId: getTokenV2UsingPOST1
        api_key_id: {{type: string, example: {value("<a24>")}}}
""",
    "uv.lock": f"""\
[[package]]
name = "cryptography"
sdist = {{ url = "https://host/a/{HEX}/c-46.tar.gz", hash = "sha256:{HEX}" }}
wheels = [
  {{ url = "https://host/{HEX[:60]}/c-46.whl", hash = "sha256:{HEX}" }},
]
""",
    "package-lock.json": json.dumps(
        {
            "node_modules/js-tokens": {
                "resolved": "https://host/js-tokens/-/js-tokens-4.0.0.tgz",
                "integrity": f"sha512-{value('<A86>')}==",
            },
            "node_modules/api-key": {"integrity": f"sha1-{value('<A27>')}="},
        },
        indent=2,
    ),
    "notebook.ipynb": json.dumps(
        {
            "cells": [
                {
                    "id": "a1b2c3d4",
                    "outputs": [{"data": {"image/png": value("<A900>")}}],
                    "source": [
                        "import os, getpass\n",
                        'api_key = os.environ["OPENAI_API_KEY"]\n',
                        'password = getpass.getpass("Password: ")\n',
                        'token = "<your token>"\n',
                        "tokens = tokenizer.encode('Hello w0rld')\n",
                    ],
                    "execution_count": 1,
                    "metadata": {"id": value("<A12>"), "etag": HEX},
                }
            ]
        }
    ),
    "locales/en.json": """\
{
  "login.password": "Password",
  "login.passwordHint": "At least 12 characters, 1 digit",
  "reset_password": "Reset your password",
  "password_too_short": "Password must have 8+ characters!",
  "apiKeyPlaceholder": "Paste your API key",
  "token.expired_1": "Your token has expired; sign in again",
  "passwordMismatch": "Passwords don't match!",
  "confirmPassword": "Confirm",
  "passwort": "Passwort:"
}
""",
    "site.css": f"""\
.password-field--v2 {{ background: url("data:image/svg+xml;base64,{DRAWN}"); }}
.token-keyword2 {{ color: #a1b2c3; --api-key-width: 12px }}
@font-face {{ src: url("fonts/{value("<A22>")}.woff2?v=4.7.0"); }}
.secret:before {{ content: "\\f084" }}
""",
    "migrations/0001_users.sql": """\
CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  password VARCHAR(255) NOT NULL,
  password_hash CHAR(60) NOT NULL DEFAULT '',
  api_token_sha256 CHAR(64),
  CONSTRAINT fk_token_2 FOREIGN KEY (token_id) REFERENCES tokens(id2)
);
ALTER TABLE users ADD COLUMN secret_key_v2 TEXT;
CREATE USER app WITH PASSWORD :'app_password';
ALTER ROLE app PASSWORD '${APP_PASSWORD}';
INSERT INTO settings (key, value) VALUES ('password_min_length', '12');
INSERT INTO users (name, password) VALUES ('admin', crypt('x', 'y9'));
UPDATE users SET password = crypt('x', gen_salt('bf', 12));
""",
    "k8s/deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
        - env:
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef: {name: db-credentials-v2, key: password1}
            - name: API_TOKEN
              valueFrom:
                secretKeyRef:
                  name: api-token-7f9c
                  key: api-token-primary2
          volumeMounts:
            - name: tls-secret-v1
              mountPath: /etc/tls
      imagePullSecrets: [{name: registry-pull-secret-eu1}]
      volumes:
        - name: tls-secret-v1
          secret: {secretName: mcp-server-tls-2026}
""",
    "k8s/sealed.yaml": f"""\
apiVersion: bitnami.com/v1alpha1
kind: SealedSecret
spec:
  encryptedData:
    password: Ag{value("<b300>")}
    api_token: Ag{value("<b320>", 2)}
""",
    "k8s/sops.yaml": f"""\
db_password: ENC[AES256_GCM,data:{value("<b16>")},iv:{value("<b43>")}=,\
tag:{value("<b22>")}==,type:str]
sops:
  kms: []
  mac: ENC[AES256_GCM,data:{value("<b80>")},iv:x=,tag:y==,type:str]
""",
    "group_vars/vault.yml": """\
db_password: !vault |
  $ANSIBLE_VAULT;1.1;AES256
  """
    + value("<d80>")
    + """
api_key: "{{ lookup('env', 'API_KEY_2') }}"
db_host: "{{ vault_db_host }}"
become_password: "{{ vault_become_password1 }}"
""",
    "main.tf": """\
variable "db_password" {
  type      = string
  sensitive = true
}
resource "aws_db_instance" "main" {
  username = "app"
  password = var.db_password
  manage_master_user_password = true
}
resource "random_password" "db" { length = 32 }
locals {
  api_key = data.aws_ssm_parameter.api_key2.value
  secret  = aws_secretsmanager_secret_version.v1.secret_string
  token   = "${var.prefix}-${random_id.token2.hex}"
}
output "password" { value = random_password.db.result }
""",
    ".github/workflows/ci.yml": f"""\
jobs:
  test:
    steps:
      - uses: actions/checkout@{value("<x40>")} # v5.0.0
      - run: twine upload dist/*
        env:
          TWINE_PASSWORD: ${{{{ secrets.PYPI_TOKEN_2 }}}}
          GITHUB_TOKEN: ${{{{ github.token }}}}
          POSTGRES_PASSWORD: postgres
    permissions: {{id-token: write}}
    services:
      db: {{env: {{POSTGRES_PASSWORD: password}}}}
""",
    "helm/values.yaml": """\
auth:
  existingSecret: "my-release-postgresql-2"
  secretKeys: {adminPasswordKey: postgres-password2}
  password: ""
  token: null
  passwordUpdateJob: {enabled: false}
tls: {secretName: ingress-tls-2026, certKey: tls.crt}
""",
    "app/settings.py": """\
import os
import secrets

SECRET_KEY = os.environ["SECRET_KEY"]
PASSWORD_RESET_TOKEN_TTL = 3600
API_KEY_HEADER = "X-API-Key-V2"
TOKEN_URL = "https://id.host/oauth2/v2.0/token"
password: str | None = os.getenv("DB_PASSWORD")
token = secrets.token_urlsafe(32)
AUTH_PASSWORD_VALIDATORS = "django.contrib.auth.PasswordValidator2"
hasher = {"password": "pbkdf2_sha256", "token": "hmac-sha256"}
MESSAGES = {"password": "Wrong password, 2 tries left!"}
client = Client(api_key=settings.api_key2, password=get_password("db1"))
CACHE_KEY = f"token:{user_id}:v2"
DUMMY_HASH = "$2b$12$"""
    + value("<A53>")
    + """"
password_hash = "pbkdf2:sha256:600000$"""
    + value("<A16>")
    + "$"
    + HEX
    + """"
raise ValueError("password must match [A-Za-z0-9]{8,}")
""",
    "web/app.ts": f"""\
const token = localStorage.getItem("auth_token_v2") ?? "";
const apiKey = process.env.API_KEY_V2 || "";
interface Login {{ password: string; token?: string }}
export const PASSWORD_REGEX = /^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d@$!%*?&]{{8,}}$/;
<input type="password" name="password" id="password2" autoComplete="off" />
const key = `user:${{id}}:token2`;
const integrity = "sha384-{value("<b64>")}";
webpackJsonp([1],{{"{value("<A20>")}":function(e,t,n){{}}}});
""",
    "icon.svg": f"""\
<svg><path d="M12.5 2.1c3.4-1.2 9.7z"/><image
 href="data:image/png;base64,{value("<b400>")}"/>
<use xlink:href="#password-icon2"/></svg>
""",
    "pom.xml": """\
<server><id>r</id><password>${env.REPO_PASSWORD}</password></server>
<property name="api.key" value="@API_KEY_2@"/>
<plugin><artifactId>token-generator2</artifactId></plugin>
""",
    "appsettings.json": """\
{"ConnectionStrings": {"Default": "Server=db;User Id=sa;Password=%PW%;"},
 "Jwt": {"Key": "#{JwtKey}#", "Issuer": "https://host/v2"}}
""",
    "server.log": f"""\
2026-01-02T03:04:05Z INFO token refreshed for client {UUID}
2026-01-02T03:04:06Z WARN password rejected for user=alice attempt=3
2026-01-02T03:04:07Z INFO request_id={value("<x32>")} api_key=***
2026-01-02T03:04:08Z INFO trace={value("<x32>")} token=[REDACTED]
""",
    "certs/ca.crt": "-----BEGIN CERTIFICATE-----\n"
    + "\n".join(value("<b64>", n) for n in range(9))
    + "\n-----END CERTIFICATE-----\n",
    "id_ed25519.pub": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{DRAWN} me@host",
    "jwks.json": json.dumps(
        {
            "keys": [
                {"kty": "RSA", "kid": UUID, "n": value("<A342>"), "e": "AQAB"}
            ]
        }
    ),
}


@pytest.mark.parametrize("path", CLEAN)
def test_a_file_as_projects_have_it_is_silent(path):
    found = find(CLEAN[path].encode(), path)

    assert [each for each in found if not made_up(path, each)] == []


PASSWORD, ASSIGNED = "MCP-SEC-005", "MCP-SEC-004"
URL, HEADER, COMMAND = "MCP-SEC-003", "MCP-SEC-006", "MCP-SEC-007"
SIGNS = "k9$xv" + "!=(w^_t[sBR29)" + "HI+$eh*xYNQeu([xWdz"

PLANTED = {
    "README": (
        "README.md",
        [HEADER],
        f'curl -H "Authorization: Bearer {DRAWN}"',
    ),
    "README, exported": (
        "README.md",
        ["MCP-SEC-OPENAI"],
        f"```bash\nexport OPENAI_API_KEY={OPENAI}\n```\n",
    ),
    "compose": (
        "compose.yaml",
        [PASSWORD, URL],
        f"    environment:\n      POSTGRES_PASSWORD: {PASS}\n"
        f"      DATABASE_URL: postgres://app:{PASS}@db:5432/app\n",
    ),
    "compose, a list": (
        "compose.yaml",
        [PASSWORD],
        f"    environment:\n      - POSTGRES_PASSWORD={PASS}\n",
    ),
    "compose, a token by default": (
        "compose.yaml",
        [ASSIGNED],
        "      API_TOKEN: ${API_TOKEN:-" + DRAWN + "}\n",
    ),
    "compose, a default": (
        "compose.yaml",
        [PASSWORD],
        "      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:-" + PASS + "}\n",
    ),
    ".env": (
        ".env",
        [ASSIGNED, PASSWORD],
        f"API_KEY={DRAWN}\nDB_PASS={PASS}\n",
    ),
    ".env of Laravel": (
        ".env",
        [ASSIGNED],
        f"APP_KEY=base64:{value('<b43>')}=\n",
    ),
    ".env, letters": (".env", [PASSWORD], f"A_PASSWORD={'correct' * 2}\n"),
    ".env, quoted": (".env", [PASSWORD], f"ADMIN_PASSWORD='{PASS}!'\n"),
    "notebook": (
        "notebook.ipynb",
        ["MCP-SEC-OPENAI"],
        json.dumps(
            {"source": [f'os.environ["OPENAI_API_KEY"] = "{OPENAI}"\n']}
        ),
    ),
    "notebook, a password": (
        "notebook.ipynb",
        [PASSWORD],
        json.dumps({"source": [f'password = "{PASS}"\n']}),
    ),
    "notebook, a key": (
        "notebook.ipynb",
        [ASSIGNED],
        json.dumps({"source": [f'os.environ["ACME_API_KEY"] = "{DRAWN}"\n']}),
    ),
    "notebook, printed": (
        "notebook.ipynb",
        ["MCP-SEC-GITHUB-PAT"],
        json.dumps({"outputs": [{"text": [f"'{GITHUB}'\n"]}]}),
    ),
    "SQL, a role": (
        "db/roles.sql",
        [PASSWORD],
        f"CREATE ROLE app LOGIN PASSWORD '{PASS}';",
    ),
    "SQL, a row": (
        "db/seed.sql",
        ["MCP-SEC-012"],
        "INSERT INTO users (id, name, password)\n"
        f"VALUES (1, 'a,b', '{PASS})');",
    ),
    "SQL, MySQL": (
        "db/roles.sql",
        [COMMAND],
        f"CREATE USER 'app'@'%' IDENTIFIED BY '{PASS}';",
    ),
    "Kubernetes": (
        "k8s/deployment.yaml",
        [PASSWORD],
        f"            - name: DB_PASSWORD\n              value: {PASS}\n",
    ),
    "Kubernetes, plain": (
        "k8s/secret.yaml",
        [PASSWORD],
        f"kind: Secret\nstringData:\n  password: {PASS}\n",
    ),
    "Terraform": (
        "main.tf",
        [PASSWORD],
        f'resource "aws_db_instance" "main" {{\n  password = "{PASS}"\n}}\n',
    ),
    "Terraform, values": (
        "prod.tfvars",
        [PASSWORD],
        f'db_password = "{PASS}"\n',
    ),
    "workflow": (
        ".github/workflows/ci.yml",
        ["MCP-SEC-GITHUB-PAT"],
        f"        env:\n          GITHUB_TOKEN: {GITHUB}\n",
    ),
    "helm": ("helm/values.yaml", [PASSWORD], f'auth:\n  password: "{PASS}"\n'),
    "Python": (
        "app/settings.py",
        [PASSWORD],
        f'DB = dict(password="{PASS}")\n',
    ),
    "Python, a model": (
        "app/settings.py",
        [PASSWORD],
        f'db_password: SecretStr = Field(default=SecretStr("{PASS}"))\n',
    ),
    "Python, a default": (
        "app/settings.py",
        [PASSWORD],
        f'PASSWORD = config("DB_PASSWORD", default="{PASS}")\n',
    ),
    "Python, in a string": (
        "app/db.py",
        [PASSWORD],
        f"connect('host=db user=app password={PASS}')\n",
    ),
    "Django": ("app/settings.py", [PASSWORD], f"SECRET_KEY = '{SIGNS}'\n"),
    "TypeScript": (
        "web/app.ts",
        [ASSIGNED],
        f'const apiKey: string = "{DRAWN}";',
    ),
    "Go": ("main.go", [PASSWORD], f'\tpassword := "{PASS}"\n'),
    "Java": (
        "application.properties",
        [PASSWORD],
        f"spring.datasource.password={PASS}\n",
    ),
    "Maven": (
        "settings.xml",
        [PASSWORD],
        f"<server><id>r</id><password>{PASS}</password></server>",
    ),
    "XML, an attribute": (
        "sites.xml",
        [PASSWORD],
        f'<Pass encoding="plain">{PASS}</Pass>',
    ),
    "C#, a string": (
        "Program.cs",
        [PASSWORD],
        f'var s = "Server=db;Password={PASS};Encrypt=true";',
    ),
    "PowerShell": (
        "deploy.ps1",
        [COMMAND],
        f"ConvertTo-SecureString '{PASS}' -AsPlainText -Force\n",
    ),
    "shell, a pipe": (
        "deploy.sh",
        [COMMAND],
        f"echo {PASS} | docker login -u me --password-stdin\n",
    ),
    "nginx": (
        "nginx.conf",
        [HEADER],
        f'proxy_set_header Authorization "Basic {b64("me:" + PASS)}";\n',
    ),
    "Markdown": ("notes.md", [PASSWORD], f"log in with password `{PASS}`\n"),
    "C#": (
        "appsettings.json",
        [PASSWORD],
        json.dumps({"Default": f"Server=db;User Id=sa;Password={PASS};"}),
    ),
    "PHP": ("config.php", [PASSWORD], f"define('DB_PASSWORD', '{PASS}');"),
    "Redis": ("redis.conf", [COMMAND], f"requirepass {PASS}\n"),
    "mail": (".esmtprc", [PASSWORD], f'username "me"\npassword "{PASS}"\n'),
    "log": (
        "server.log",
        [ASSIGNED],
        f"DEBUG refreshed, access_token={DRAWN}\n",
    ),
    "ini": ("app.ini", [PASSWORD], f"[db]\nuser = app\npassword = {PASS}\n"),
    "TOML": ("app.toml", [ASSIGNED], f'[auth]\nsigning_key = "{DRAWN}"\n'),
    "npmrc": (".npmrc", [ASSIGNED], f"//registry.host/:_authToken={UUID}\n"),
    "pip": ("pip.conf", [URL], f"index-url = https://me:{PASS}@host/simple\n"),
    "note": ("notes.txt", [PASSWORD], f"staging box (password: {PASS})\n"),
    "short name": ("notes.txt", [PASSWORD], f"user: me\npw: {PASS}\n"),
    "JWK": (
        "jwk.json",
        ["MCP-SEC-001"],
        json.dumps({"kty": "EC", "crv": "P-256", "d": value("<w43>")}),
    ),
    "JWK, pretty": (
        "jwk.json",
        ["MCP-SEC-001"],
        json.dumps(
            {"kty": "oct", "k": value("<w43>"), "alg": "HS256"}, indent=2
        ),
    ),
    "a file of one token": ("secrets/api_token", [ASSIGNED], f"{DRAWN}\n"),
    "a file of one key": ("config/master.key", [ASSIGNED], value("<x32>")),
    "a file of one password": (
        "secrets/db_password.txt",
        [PASSWORD],
        f"{PASS}\n",
    ),
    "CSV, hashes": (
        "users.csv",
        ["MCP-SEC-014"],
        f"name,password\nada,$2b$12${value('<A53>')}\n",
    ),
    "CSV": (
        "users.csv",
        ["MCP-SEC-012"],
        f"id,name,password,city\n1,Ada,{PASS},London\n",
    ),
}


TABLES = {
    "placeholders": "name,password\nada,changeme1\nbob,<password>\n",
    "labels": "lang,password\nen,Password\nde,Kennwort\n",
    "texts": "lang,password\nen,At least 12 letters\n",
    "other columns": f"name,password_hash,city\nada,{PASS},London\n",
    "a row that is cut": f"name,password,city\n{PASS},{PASS}\n",
    "a sign of other tables": f"name;password\nada;x,\nbob;{'9' * 5},\n",
    "no rows": "name,password",
    "nothing": "",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_without_passwords_is_silent(name):
    assert kinds("users.csv", TABLES[name]) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.md", "| name | password |\n|---|---|\n| ada | `<password>` |\n"),
        ("a.md", "|name|is|\n|---|---|\n|`password`|at least 12 letters|\n"),
        ("a.md", "| A_PASSWORD | default |\n|--|--|\n| x | required |\n"),
        (".env.example", f"A_PASSWORD={'correct' * 2}\n"),
        (".env", "A_PASSWORD=changeme\nPASSWORD_POLICY=strictest\n"),
    ],
)
def test_what_is_no_password_though_it_stands_like_one_is_silent(path, text):
    assert kinds(path, text) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.csv", f'id;"password";x\n1;"{PASS}";2\n'),
        ("a.csv", f"password\n{PASS}\n"),
        ("a.csv", f'user,note,password\nada,"a ""b"", c",{PASS}\n'),
        ("a.CSV", f"id,Pwd\r\n1,x\r\n2,{PASS}\r\n3,{PASS}x\r\n"),
        ("a.tsv", f"id\tdb password\n1\t{PASS}\n"),
        ("a.md", f"| a | password |\n|---|:--|\n| 1 | `{PASS}` |\n"),
        ("a.md", f"|what|is|\n| - | - |\n|\\||x|\n|DB password|{PASS}|\n"),
    ],
)
def test_a_table_of_passwords_is_told_of_once_with_its_place(path, text):
    (found,) = find(text.encode(), path)

    assert found.kind.id == "MCP-SEC-012"
    assert found.start == text.index(PASS)


def test_a_table_of_tests_is_made_up():
    (found,) = find(f"id,password\n1,{PASS}\n".encode(), "tests/users.csv")

    assert made_up("tests/users.csv", found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("notes/token", "no token yet"),
        ("api_key.txt", "$API_KEY_FROM_VAULT"),
        ("VERSION", value("<x32>")),
        ("commit.txt", value("<x40>")),
        ("db_password.txt", "changeme"),
        ("token.py", f"x = {value('<x32>')}"),
    ],
)
def test_a_file_that_is_no_lone_secret_is_silent(path, text):
    assert kinds(path, text) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_credential_in_such_a_file_is_found(name):
    path, expected, text = PLANTED[name]

    assert kinds(path, text) == expected
