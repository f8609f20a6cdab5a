"""For each rule of what stands around the server: what fires it, and not.

By rule: the file's path, texts that fire it with its severity, and texts
that are like it and right.
"""

import json
from typing import Any

from scanner.checks.unit_rules import SERVERS

Cases = dict[tuple[str, str], tuple[str, list[str], list[str]]]

NGINX = "deploy/proxy/nginx.conf"
UNIT = "deploy/systemd/server.service"
CLIENT = ".mcp.json"
SCRIPT = "deploy/start.sh"
HSTS = "add_header Strict-Transport-Security max-age=31536000;"
TOLD = "server_tokens off; "
HTTP = f"http {{ {TOLD}{HSTS} server {{ listen 443 ssl; limit_req zone=a;"
HTTP += " %s } }\n"
NAMED = "location ~ ^/mcp$ { proxy_pass http://a; } "
PASSING = HTTP % "location / { proxy_pass http://a; }"
SERVICE = """\
[Unit]
Description=a server
[Service]
ExecStart=/opt/server/.venv/bin/python -m server
User=mcpuser
NoNewPrivileges=yes
ProtectSystem=strict
"""


def client(**server: Any) -> str:
    return json.dumps({"mcpServers": {"files": server}}, indent=2)


def npx(*words: str) -> str:
    return client(command="npx", args=["-y", *words])


def docker(*words: str) -> str:
    args = ["run", "--rm", "-i", *words, "ghcr.io/example/files:1.2.3"]
    return client(command="docker", args=args)


def bundle(command: str, *args: str) -> str:
    """Make the manifest of a bundle for desktop clients."""
    started = {"command": command, "args": args}
    return json.dumps({"name": "files", "server": {"mcp_config": started}})


def entry(name: str, value: str) -> str:
    """Make an entry of the registry of MCP servers."""
    words = [{"type": "named", "name": name, "value": value}]
    image = {"registryType": "oci", "identifier": "ghcr.io/a/files:1.2.3"}
    package = {**image, "runtimeArguments": words}
    return json.dumps({"name": "a/files", "packages": [package]})


# The server's own, with all that is asked for but one thing.
OURS = SERVICE.replace("-m server", "-m small_server") + "".join(
    f"{name}=x\n" for name in SERVERS if name not in SERVICE
)


def unit(line: str) -> str:
    name = line.partition("=")[0]
    kept = [x for x in SERVICE.splitlines() if not x.startswith(name + "=")]
    return "\n".join([*kept, line]) + "\n"


SURROUNDINGS: Cases = {
    ("020", "medium"): (
        CLIENT,
        [
            npx("@example/files"),
            npx("@example/files@latest"),
            npx("--package", "@example/files", "files"),
            client(command="uvx", args=["files-mcp"]),
            client(command="uvx", args=["--from", "git+https://a.b/c", "c"]),
            client(command="uv", args=["tool", "run", "files-mcp"]),
            client(command="pipx", args=["run", "files-mcp"]),
            client(command="pnpm", args=["dlx", "files-mcp"]),
            client(command="cmd", args=["/c", "npx", "-y", "files-mcp"]),
            client(command="docker", args=["run", "-i", "example/files"]),
        ],
        [
            npx("@example/files@1.2.3"),
            client(command="uvx", args=["files-mcp==1.2.3"]),
            client(command="uvx", args=["--from", "files[x]@1.2", "files"]),
            client(
                command="uvx",
                args=["--from", f"git+https://a.b/c@{'0a' * 20}", "c"],
            ),
            client(command="uv", args=["run", "server.py"]),
            client(command="npm", args=["start"]),
            npx("./tools/files.tgz"),
            docker("--network", "none"),
            "{}",
            '{"mcpServers": {"a": {"command": ".venv/bin/a",}}} // ours',
        ],
    ),
    ("021", "high"): (
        CLIENT,
        [
            docker("--network=host"),
            docker("--pid", "host"),
            docker("--cap-add", "SYS_ADMIN"),
            docker("--security-opt", "seccomp=unconfined"),
            docker("--user", "root"),
            docker("-v", "/home/me:/work"),
            docker("-v", "${userHome}/.ssh:/keys:ro"),
            docker("-v", "C:\\Users\\me:/work"),
            docker("--mount", "type=bind,src=/etc,dst=/etc"),
            entry("--cap-add", "SYS_ADMIN"),
        ],
        [
            docker("--network", "none", "--cap-drop", "ALL"),
            docker("-v", "files:/workspace", "--user", "1000"),
            docker("-v", "/srv/docs:/workspace:ro"),
            docker("-v", "/home/me/docs:/workspace"),
            docker("--mount", "type=bind,src=/srv/docs,dst=/workspace"),
            bundle("uv", "run", "--frozen", "files"),
            entry("--cap-drop", "ALL"),
        ],
    ),
    ("021", "critical"): (
        CLIENT,
        [
            docker("-v", "/var/run/docker.sock:/var/run/docker.sock"),
            docker("--privileged"),
            docker("-v", "/:/host"),
            bundle("docker", "run", "--privileged", "example/files:1.2.3"),
        ],
        [],
    ),
    ("022", "high"): (
        CLIENT,
        [
            client(url="http://mcp.example.com/mcp"),
            client(serverUrl="http://10.0.0.7:8080/mcp"),
            npx("mcp-remote@0.1.30", "http://mcp.example.com/sse"),
        ],
        [
            client(url="https://mcp.example.com/mcp"),
            client(url="http://127.0.0.1:8080/mcp"),
            client(url="http://[::1]:8080/mcp"),
        ],
    ),
    ("023", "high"): (
        CLIENT,
        [
            client(command="a", alwaysAllow=["read_file", "write_file"]),
            client(command="a", autoApprove=["*"]),
            client(command="a", trust=True),
        ],
        [
            client(command="a", alwaysAllow=["list_files", "read_file"]),
            client(command="a", autoApprove=[]),
            client(command="a", trust=False),
        ],
    ),
    ("024", "high"): (
        CLIENT,
        [client(command="sh", args=["-c", "curl -s https://a.b/x | sh"])],
        [client(command="sh", args=["-c", "curl -s https://a.b/x | jq ."])],
    ),
    ("025", "high"): (
        CLIENT,
        [
            client(command="a", env={"DANGEROUSLY_OMIT_AUTH": "true"}),
            client(command="a", env={"NODE_TLS_REJECT_UNAUTHORIZED": "0"}),
            client(
                command="sh", args=["-c", "pip install --trusted-host a b"]
            ),
        ],
        [
            client(command="a", env={"NODE_EXTRA_CA_CERTS": "/etc/ca.pem"}),
            client(command="a", env={"DANGEROUSLY_OMIT_AUTH": "false"}),
        ],
    ),
    ("026", "medium"): (
        NGINX,
        [
            HTTP % "ssl_protocols TLSv1 TLSv1.2;",
            HTTP % "ssl_ciphers HIGH:RC4-SHA:!aNULL;",
            HTTP % "ssl_ciphers HIGH:@SECLEVEL=0;",
        ],
        [
            HTTP % "ssl_protocols TLSv1.2 TLSv1.3;",
            HTTP % "ssl_ciphers HIGH:!aNULL:!MD5:!RC4;",
            HTTP % "# ssl_protocols TLSv1;\n",
        ],
    ),
    ("027", "medium"): (
        NGINX,
        [
            HTTP % "add_header Access-Control-Allow-Origin * always;",
            HTTP % 'add_header "Access-Control-Allow-Origin" $http_origin;',
        ],
        [HTTP % "add_header Access-Control-Allow-Origin https://a.example;"],
    ),
    ("028", "medium"): (
        NGINX,
        [
            HTTP % "location / { proxy_pass https://a;"
            " proxy_ssl_verify off; }",
        ],
        [],
    ),
    ("028", "high"): (
        NGINX,
        [PASSING.replace("443 ssl", "80")],
        [
            HTTP % "location / { proxy_pass http://a; }",
            "server { listen 80; return 301 https://$host$request_uri; }",
            PASSING.replace("443 ssl", "127.0.0.1:80"),
        ],
    ),
    ("029", "medium"): (
        NGINX,
        [
            HTTP % "proxy_set_header X-Forwarded-For $http_x_forwarded_for;",
            HTTP % "proxy_set_header X-Real-IP $http_x_real_ip;",
            HTTP % "set_real_ip_from 0.0.0.0/0;",
            "limit_req_zone $http_x_forwarded_for zone=a:1m rate=1r/s;",
        ],
        [
            HTTP % "proxy_set_header X-Forwarded-For $remote_addr;",
            HTTP % "proxy_set_header X-Request-Id $http_x_request_id;",
            HTTP % "set_real_ip_from 10.0.0.0/8;",
            "limit_req_zone $http_authorization zone=a:1m rate=1r/s;",
        ],
    ),
    ("030", "medium"): (
        NGINX,
        [
            HTTP % "autoindex on;",
            HTTP % "location = /metrics { proxy_pass http://a:9090; }",
            HTTP % "location = /status { stub_status; }",
            PASSING.replace("location", NAMED + "location"),
        ],
        [
            HTTP % "autoindex off;",
            HTTP % (NAMED + "location / { return 404; }"),
            HTTP % (NAMED + "location / { deny all; proxy_pass http://a; }"),
            HTTP % (NAMED + "location / { proxy_pass http://pages; }"),
            PASSING.replace("location", NAMED.replace("~ ", "") + "location"),
            HTTP % "location = /metrics { return 404; }",
            "server { listen 127.0.0.1:81; location / { stub_status; } }",
            HTTP % "location = /metrics { allow 10.0.0.0/8; deny all;"
            " proxy_pass http://a:9090; }",
        ],
    ),
    ("030", "high"): (
        NGINX,
        [
            HTTP % "root /;",
            HTTP % "location /files { alias /srv/files/; }",
        ],
        [
            HTTP % "root /usr/share/nginx/html;",
            HTTP % "location /files/ { alias /srv/files/; }",
            HTTP % "location ~ ^/f$ { alias /srv/files/; }",
        ],
    ),
    ("031", "high"): (
        NGINX,
        [HTTP % "location / { proxy_pass https://$arg_host/x; }"],
        [HTTP % "location / { proxy_pass http://a$request_uri; }"],
    ),
    ("047", "high"): (
        SCRIPT,
        [
            "#!/bin/sh\nset -eu\ncurl -fsSL https://a.example/b | sh\n",
            "wget -qO b https://a.example/b\nsh b\n",
        ],
        [
            "curl -fsS https://a.example/b -o b\n"
            "echo 'aa  b' | sha256sum -c -\nsh b\n",
            "# curl https://a.example/b | sh\ncurl https://a.example | jq .\n",
        ],
    ),
    ("048", "high"): (
        SCRIPT,
        ["curl -k https://a.example/b -o b\n"],
        ["curl -fsS https://a.example/b -o b\n"],
    ),
    ("049", "medium"): (
        SCRIPT,
        ["umask 000\n", "chmod -R 777 /srv\n", "chmod a+w x\n"],
        ["umask 077\n", "umask 0022\n", "chmod 755 x\n", "umask\n"],
    ),
    ("039", "high"): (
        NGINX,
        [
            HTTP % "return 301 https://$host$uri;",
            HTTP % "rewrite ^/old(.*) https://a.example${document_uri};",
            HTTP % "location / { proxy_pass http://a$uri; }",
            HTTP % 'add_header X-Asked "$uri";',
        ],
        [
            HTTP % "return 301 https://$host$request_uri;",
            HTTP % "location / { try_files $uri $uri/ =404; }",
            HTTP % "rewrite ^/old(.*) /new$1;",
        ],
    ),
    ("040", "low"): (
        NGINX,
        [
            HTTP % "server_tokens on;",
            HTTP % "server_tokens build;",
            PASSING.replace(TOLD, ""),
        ],
        [
            HTTP % "server_tokens off;",
            (HTTP % "listen 443 ssl;").replace(TOLD, ""),
            PASSING.replace(TOLD, "include told.conf; "),
        ],
    ),
    ("041", "high"): (
        NGINX,
        ["user root;\n" + PASSING, "user 0;\n" + PASSING],
        ["user nginx nginx;\n" + PASSING],
    ),
    ("032", "high"): (
        UNIT,
        [
            unit("User=root"),
            unit("User="),
            SERVICE.replace("User=mcpuser\n", ""),
            SERVICE.replace("ExecStart=", "ExecStart=+"),
        ],
        [SERVICE, SERVICE.replace("User=mcpuser", "DynamicUser=yes")],
    ),
    ("033", "medium"): (
        UNIT,
        [
            unit("ProtectSystem=no"),
            unit("PrivateTmp=false"),
            unit("UMask=0000"),
            SERVICE.replace("NoNewPrivileges=yes\n", ""),
            SERVICE.replace("-m server", "-m small_server"),
            OURS,
        ],
        [
            unit("ProtectSystem=full"),
            unit("UMask=0077"),
            SERVICE.replace("[Unit]", "[Unit]\nPrivateTmp=no"),
        ],
    ),
    ("033", "low"): (
        UNIT,
        [unit("TasksMax=infinity")],
        [
            SERVICE,
            unit("TasksMax=4096"),
            OURS.replace("python -m", "python -P -m"),
            f"{OURS}Environment=A=1 PYTHONSAFEPATH=1\n",
        ],
    ),
    ("033", "high"): (
        UNIT,
        [
            unit("AmbientCapabilities=CAP_SYS_ADMIN"),
            unit("CapabilityBoundingSet=~CAP_SYS_TIME"),
            unit("ReadWritePaths=/srv/work /etc"),
            unit("EnvironmentFile=-/tmp/server.env"),
            unit("ExecStart=/a/python -m server --env-file /tmp/server.env"),
            unit("ExecStartPre=/bin/sh -c 'curl -s https://a.b/x | sh'"),
        ],
        [
            unit("AmbientCapabilities=CAP_NET_BIND_SERVICE"),
            unit("CapabilityBoundingSet="),
            unit("ReadWritePaths=/srv/work"),
            unit("EnvironmentFile=/etc/server/server.env"),
            unit("ExecStartPre=/bin/sh -c 'curl -s https://a.b/x | jq .'"),
        ],
    ),
    ("035", "high"): (
        "deploy/prometheus/prometheus.yml",
        [
            "tls_config: { insecure_skip_verify: true }\n",
            "jsonData:\n  tlsSkipVerify: true\n",
            "tlsConfig:\n  insecureSkipVerify: 'true'\n",
            "reverse_proxy {\n  tls_insecure_skip_verify\n}\n",
            "ssl_verify = false\n",
        ],
        [
            "tls_config: { insecure_skip_verify: false }\n",
            "# tlsSkipVerify: true\n",
            "verify_ssl: true\n",
            "description: skip verify in tests\n",
        ],
    ),
    ("042", "low"): (
        NGINX,
        [PASSING.replace(HSTS, ""), PASSING.replace("=31536000", "=0")],
        [PASSING, (HTTP % "return 404;").replace(HSTS, "")],
    ),
    ("045", "high"): (
        NGINX,
        [HTTP % "log_format all '$remote_addr $http_authorization';"],
        [HTTP % "log_format all '$remote_addr $status $http_user_agent';"],
    ),
    ("043", "medium"): (
        "deploy/alertmanager/alertmanager.yml",
        [
            "webhook_configs:\n  - url: http://hooks.example.com/alert\n",
            "global: { smtp_require_tls: false }\n",
        ],
        [
            "webhook_configs:\n  - url: https://hooks.example.com/alert\n",
            "webhook_configs:\n  - url: http://relay:8080/alert\n",
            "webhook_configs:\n  - url: http://relay.alerts.svc/alert\n",
            "# url: http://hooks.example.com/alert\n",
        ],
    ),
    ("034", "medium"): (
        NGINX,
        [
            HTTP % "client_max_body_size 0;",
            PASSING.replace("limit_req", "limit_rate"),
            HTTP % "" + "limit_req_zone $a zone=a:10m rate=99999r/s;\n",
            HTTP % "limit_req_dry_run on;",
            PASSING + PASSING.replace("limit_req", "limit_rate"),
        ],
        [
            "http { limit_req zone=a; "
            + PASSING.replace("limit_req zone=a;", "").removeprefix("http {"),
            HTTP % "client_max_body_size 4m;",
            HTTP % "limit_conn b 8;" + "limit_conn_zone $a zone=b:10m;\n",
            HTTP % "" + "limit_req_zone $a zone=a:10m rate=1r/s;\n",
            HTTP % "location / { proxy_pass http://a; }",
        ],
    ),
    ("034", "low"): (
        NGINX,
        [HTTP % "limit_conn a 8;" + "limit_conn_zone $a zone=b:10m;\n"],
        ["include sites/*;" + "limit_req_zone $a zone=b:10m;\n" + HTTP % ""],
    ),
}
