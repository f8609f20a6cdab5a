"""For each rule of the container check: what fires it, and what does not.

Planted secrets are put together here, so that no scanner trips over them.
"""

IMAGE = """\
FROM python:3.13.9-slim AS build
WORKDIR /build
COPY pyproject.toml ./
RUN pip install --no-cache-dir build==1.3.0
FROM python:3.13.9-slim
RUN useradd --uid 10001 --no-create-home mcpuser
COPY --from=build /app /app
{}
USER 10001:10001
HEALTHCHECK CMD ["python", "-m", "small_server", "health"]
ENTRYPOINT ["python", "-m", "small_server"]
"""
LAST = "FROM python:3.13.9-slim\n{}\nHEALTHCHECK CMD true\n"
SECRET = "".join(["hun", "ter2", "!Zq"])
RUN = "RUN "


def image(line: str) -> str:
    return IMAGE.replace("{}", line)


# id, severity -> Dockerfiles that fire it, Dockerfiles that do not.
DOCKERFILES: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    ("001", "high"): (
        [
            "FROM a:1\nHEALTHCHECK CMD true\n",
            "FROM a:1 AS x\nUSER app\nFROM a:1\nHEALTHCHECK CMD true\n",
            "FROM a:1 AS nonroot\nHEALTHCHECK CMD true\n",
            "FROM evil/nonroot-tool:1.0\nHEALTHCHECK CMD true\n",
            "FROM a:1\nONBUILD USER app\nHEALTHCHECK CMD true\n",
            "FROM a:1\nRUN <<EOF\nUSER app\nEOF\nHEALTHCHECK CMD true\n",
            "FROM a:1\nRUN echo \\\nUSER app\nHEALTHCHECK CMD true\n",
        ],
        [
            image(""),
            "from a:1 as x\nuser app\nfrom X\nhealthcheck cmd true\n",
            "FROM gcr.io/distroless/python3:nonroot-1\nHEALTHCHECK CMD true\n",
        ],
    ),
    ("002", "high"): (
        [
            LAST.format("USER root"),
            "# about=x\n# escape=`\n" + LAST.format("LABEL a=b`\nUSER root"),
            LAST.format("USER 0"),
            LAST.format("USER app\nUSER 00:0"),
            LAST.format("USER ROOT:app"),
            LAST.format('USER "root"'),
            LAST.format("ARG WHO=0\nUSER $WHO"),
            LAST.format("ENV WHO=root\nUSER ${WHO}"),
            LAST.format("USER ${WHO:-root}"),
            LAST.format("RUN useradd -o --uid 0 boss\nUSER boss"),
            "FROM a:1 AS x\nUSER root\nFROM x\nHEALTHCHECK CMD true\n",
        ],
        [
            LAST.format("USER root\nUSER app"),
            LAST.format("USER 10001:0"),
            LAST.format("ARG WHO\nUSER $WHO"),
            LAST.format("ARG WHO=0\nENV WHO=app\nUSER $WHO"),
        ],
    ),
    ("003", "medium"): (
        [
            image("").replace(":3.13.9-slim\n", ":latest\n"),
            image("").replace(":3.13.9-slim\n", "\n"),
            image("").replace(":3.13.9-slim\n", ":slim\n"),
            image("").replace(":3.13.9-slim AS", " AS"),
            "ARG TAG=latest\n" + image("").replace(":3.13.9-slim", ":$TAG"),
            image("COPY --from=ghcr.io/astral-sh/uv:latest /uv /bin/uv"),
            image("")
            .replace("python:", "localhost:5000/python@")
            .replace("@3.13.9-slim", ""),
        ],
        [
            image("").replace(":3.13.9-slim", "@sha256:" + "0" * 64),
            "ARG TAG\n" + image("").replace(":3.13.9-slim", ":$TAG"),
            image("COPY --from=0 /a /b"),
            "FROM scratch\nUSER app\nHEALTHCHECK CMD true\n",
        ],
    ),
    ("004", "high"): (
        [
            image("RUN curl -sSf https://example.com/i.sh | sh"),
            image("RUN wget -qO- https://example.com/i.sh | bash -s -- x"),
            image("RUN bash <(curl -s https://example.com/i.sh)"),
            image('CMD ["sh", "-c", "curl https://example.com/i | sh"]'),
            image("HEALTHCHECK CMD curl https://example.com/i | sh"),
            image('RUN bash -euo pipefail -c "$(curl https://a.example/i)"'),
            *(
                image(f"RUN curl -sSf https://example.com/i | {program}")
                for program in (
                    "bash -euo pipefail",
                    "sh -",
                    "python3 - --version 1.8",
                    "python3 -u",
                    "php -- --install-dir=/usr/bin",
                    "perl - App::cpanminus",
                    "tee /i.sh && sh /i.sh",
                    "tar xz && ./x/install.sh",
                )
            ),
            *(
                image(f"RUN curl -o /t/a https://example.com/i && {rest}")
                for rest in (
                    "sha256sum /t/a && sh /t/a",
                    "openssl version; sh /t/a",
                    "mv /t/a b && sh b",
                    "cp /t/a /t/b && bash -e /t/b",
                    "cat /t/a | bash",
                    "sh -- /t/a",
                    "echo '0  /t/other' | sha256sum -c - && sh /t/a",
                    "gpg --verify other.asc other && sh /t/a",
                )
            ),
            image('RUN ["sh", "-c", "curl https://example.com/i | sh"]'),
            image("RUN <<EOF\ncurl https://example.com/i.sh | sh\nEOF"),
            image("RUN curl https://example.com/i.sh \\\n  # why\n  | sh"),
            image("RUN curl -o /i.sh https://example.com/i\nRUN sh /i.sh"),
            image("ONBUILD RUN curl https://example.com/i.sh | sh"),
            "# escape=`\n" + image("RUN curl https://e.com `\n | sh"),
        ],
        [
            image("RUN curl https://example.com/a.tgz | tar xz"),
            *(
                image(f"RUN curl -sSf https://example.com/i | {program}")
                for program in (
                    "bash -c 'read x'",
                    "python3 -m json.tool",
                    "python3 -c 'import json'",
                    "perl -pe s/a/b/",
                )
            ),
            *(
                image(f"RUN curl -o /t/a https://example.com/i && {rest}")
                for rest in (
                    "echo '0  /t/a' | sha256sum -c - && sh /t/a",
                    "sha256sum /t/a | grep -q 0a1b && sh /t/a",
                    'test "$(sha256sum /t/a)" = 0a1b && sh /t/a',
                    "gpg --verify /t/a.asc /t/a && sh /t/a",
                )
            ),
            image("# RUN curl https://example.com/i.sh | sh"),
            image("RUN echo 'curl https://example.com | sh'"),
            image(
                "RUN curl -o i.sh https://example.com/i"
                " && sha256sum -c i.sum && sh i.sh"
            ),
        ],
    ),
    ("029", "high"): (
        [
            "# syntax=evil/dockerfile:1\n" + image(""),
            "#syntax = docker/dockerfile:latest\n" + image(""),
            "# escape=\\\n# syntax=docker/dockerfile\n" + image(""),
        ],
        [
            "# syntax=docker/dockerfile:1\n" + image(""),
            "# syntax=docker/dockerfile@sha256:" + "0" * 64 + "\n" + image(""),
            "# a comment\n# syntax=evil/dockerfile:1\n" + image(""),
        ],
    ),
    ("005", "medium"): (
        [
            image("RUN wget --no-check-certificate https://example.com/a"),
            image("RUN curl -fsSkL https://example.com/a -o a"),
            image("RUN curl --insecure https://example.com/a -o a"),
            image("RUN uv pip install git+https://example.com/a"),
            image("RUN pip install --trusted-host example.com x==1"),
            image(
                "RUN apt-get update && apt-get install -y"
                " --no-install-recommends --allow-unauthenticated x"
            ),
            image("RUN git config --global http.sslVerify false"),
            image("RUN apk add --allow-untrusted ./a.apk"),
            image("RUN pip install --index-url http://pypi.example x==1"),
            image("RUN uv sync --frozen --default-index=http://pypi.example"),
        ],
        [
            image("RUN curl -fsSL https://example.com/a -o a"),
            image("RUN pip install --index-url https://pypi.example x==1"),
            image("RUN pip install --index-url http://localhost:81 x==1"),
        ],
    ),
    ("024", "medium"): (
        [
            image("ENV PYTHONHTTPSVERIFY=0"),
            image("ENV A=b NODE_TLS_REJECT_UNAUTHORIZED=0"),
            image("ARG PIP_INDEX_URL=http://pypi.example/simple"),
        ],
        [
            image("ENV PYTHONHTTPSVERIFY=1"),
            image("ARG PIP_INDEX_URL=https://pypi.example/simple"),
        ],
    ),
    ("006", "medium"): (
        [
            image("ADD https://example.com/a.tgz /a.tgz"),
            image('ADD ["https://example.com/a.tgz", "/a.tgz"]'),
            image("ARG U=https://example.com\nADD $U/a /a"),
            image("ADD git@example.com:a/b.git#main /b"),
        ],
        [
            image(
                f"ADD --checksum=sha256:{'0' * 64} https://example.com/a /a"
            ),
            image(f"ADD https://example.com/a.git#{'0' * 40} /a"),
        ],
    ),
    ("007", "low"): (
        [image("ADD app.py /app/"), image("ADD a.tar.gz app.py /app/")],
        [image("ADD app.tar.gz /app/"), image("COPY app.py /app/")],
    ),
    ("008", "medium"): (
        [
            image("RUN chmod 777 /app"),
            image("RUN chmod -R 0777 /app"),
            image("RUN chmod a+w /app"),
            image("RUN chmod u=rw,o+rw /app"),
            image("RUN find /app -exec chmod ugo+rwx {} +"),
            image("RUN find / -exec chmod 755 {} + -exec chmod 777 {} \\;"),
            image("RUN mkdir -m 777 /data"),
            image("COPY --chmod=666 app.py /app/"),
        ],
        [
            image("RUN chmod -R u=rwX,go=rX /app"),
            image("RUN chmod 1777 /var/tmp && chmod o-w,g+w /app"),
            image("COPY --chmod=644 app.py /app/"),
        ],
    ),
    ("009", "low"): (
        [
            "FROM a:1\nUSER app\n",
            "FROM a:1\nUSER app\nHEALTHCHECK NONE\n",
            "FROM a:1 AS x\nHEALTHCHECK CMD true\nFROM a:1\nUSER app\n",
        ],
        [image(""), "FROM a:1 AS x\nHEALTHCHECK CMD true\nFROM x\nUSER a\n"],
    ),
    ("010", "high"): (
        [
            image(f"ENV API_TOKEN={SECRET}"),
            image(f"ENV PORT=8080 \\\n    DB_PASSWORD='{SECRET}'"),
            image(f"ENV DB_PASSWORD {SECRET}"),
            image(f"ARG NPM_TOKEN={SECRET}"),
            image(f"ENV mySecretKey={SECRET}"),
            image("ARG X\nENV API_TOKEN=$X"),
        ],
        [
            image("ENV API_TOKEN_FILE=/run/secrets/token"),
            image("ENV TOKEN_URL=https://example.com/token"),
            image("ENV PASSWORD= MAX_TOKENS=4096"),
            image("ENV GPG_KEY=E3FF2839C048B25C084DEBE9B26995E310250568"),
            image("RUN --mount=type=secret,id=API_TOKEN true"),
        ],
    ),
    ("010", "medium"): (
        [image("ARG NPM_TOKEN"), image("ARG A B_PASSWORD C=1")],
        [image("ARG VERSION")],
    ),
    ("011", "low"): (
        [
            image("RUN apt-get update"),
            image("RUN apk update && pip install x==1"),
        ],
        [
            image("RUN apt-get update && apt-get upgrade -y"),
            image("RUN echo apt-get update"),
        ],
    ),
    ("012", "medium"): (
        [
            image("RUN sudo true"),
            image("RUN apk add --no-cache sudo"),
            image("RUN echo 'a ALL=(ALL) ALL' > /etc/sudoers.d/a"),
        ],
        [image("RUN echo sudo")],
    ),
    ("026", "medium"): (
        [
            image("").replace("3.13.9-slim\nRUN", f"{tag}\nRUN")
            for tag in ("3.8.20-slim", "2.7", "3.13.9-slim-buster")
        ]
        + [
            "FROM ubuntu:18.04\nUSER app\nHEALTHCHECK CMD true\n",
            "FROM docker.io/library/debian:9@sha256:"
            + "0" * 64
            + "\nUSER app\nHEALTHCHECK CMD true\n",
            "FROM node:18.1-alpine\nUSER app\nHEALTHCHECK CMD true\n",
        ],
        [
            image(""),
            "FROM ubuntu:24.04\nUSER app\nHEALTHCHECK CMD true\n",
            "FROM alpine:3.22\nUSER app\nHEALTHCHECK CMD true\n",
        ],
    ),
    ("027", "medium"): (
        [image("RUN echo 'PermitRootLogin yes' >> /etc/ssh/sshd_config")],
        [image("RUN echo 'PermitRootLogin no' >> /etc/ssh/sshd_config")],
    ),
    ("028", "medium"): (
        [
            image("RUN curl -fsSL -o /usr/local/bin/yq https://a.example/yq"),
            image("RUN wget -O /opt/yq https://a.b/yq && chmod +x /opt/yq"),
            image("RUN curl -fsSL https://a.b/x.tgz | tar -xz -C /opt"),
        ],
        [
            image(
                "RUN curl -fsSL -o /usr/local/bin/yq https://a.example/yq"
                " && echo '0  /usr/local/bin/yq' | sha256sum --check"
            ),
            image("RUN curl -fsSL -o /srv/words.txt https://a.example/w"),
        ],
    ),
    ("012", "high"): (
        [image("RUN echo 'mcpuser ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers")],
        [],
    ),
    ("025", "high"): (
        [
            image("RUN setcap cap_sys_admin,cap_net_raw+ep /usr/bin/python3"),
            image("RUN setcap all=eip /usr/bin/python3"),
        ],
        [image("RUN setcap 'cap_net_bind_service=+ep' /usr/bin/python3")],
    ),
    ("013", "low"): (
        [
            image(
                "RUN apt-get update && apt-get install -y"
                " --no-install-recommends gcc libpq-dev=15.1"
            ),
            image("RUN apt-get update && apt-get install -y tini"),
            image("RUN dnf install -y vim"),
        ],
        [
            image(
                "RUN apt-get update && apt-get install -y"
                " --no-install-recommends tini"
            ),
            image("RUN apk add --virtual .deps gcc && make && apk del .deps"),
            image("").replace("RUN pip", "RUN apk add gcc && pip"),
        ],
    ),
    ("013", "medium"): (
        [
            image(
                "RUN apt-get update && apt-get install -y"
                " --no-install-recommends openssh-server"
            )
        ],
        [],
    ),
    ("014", "high"): (
        [
            image("RUN --mount=type=secret,id=k cp /run/secrets/k /etc/k"),
            image(RUN + f"export API_TOKEN={SECRET} && true"),
            image(RUN + f"cli login --password {SECRET}"),
            image(RUN + f"cli login --password={SECRET}"),
            image(RUN + "git clone https://me:" + SECRET + "@example.com/a"),
            image(RUN + f"curl -H 'Authorization: Bearer {SECRET}' x -o y"),
            image(RUN + f"echo root:{SECRET} | chpasswd"),
            image(RUN + f"curl -u me:{SECRET} https://example.com -o y"),
        ],
        [
            image("RUN TOKEN=$(cat /run/secrets/token) cli login"),
            image("RUN cli login --password-stdin --password $P"),
            image("RUN cli --token-file x --no-password y --auth basic"),
        ],
    ),
    ("015", "medium"): (
        [
            image("RUN chmod u+s /app/run"),
            image("RUN chmod 4755 /app/run"),
            image("COPY --chmod=6755 run /app/"),
        ],
        [
            image("RUN find / -perm /6000 -exec chmod a-s {} +"),
            image("RUN chmod 0755 /app/run && mkdir -m 2755 /srv/shared"),
        ],
    ),
    ("016", "medium"): (
        [
            image("RUN chown -R mcpuser:mcpuser /app"),
            image("RUN chown -R 10001 /"),
            image("RUN <<EOF\nchown -R mcpuser /app\nEOF"),
        ],
        [
            image("RUN chown mcpuser /workspace"),
            image("RUN chown -R root:root /app"),
        ],
    ),
    ("017", "medium"): (
        [
            image("COPY --chown=mcpuser:mcpuser src /app/"),
            image("WORKDIR /app\nCOPY --chown=10001 src ."),
        ],
        [
            image("COPY --chown=mcpuser src /workspace/"),
            image("COPY --chown=root src /app/"),
        ],
    ),
    ("018", "high"): (
        [
            image("COPY .env /app/"),
            image("COPY a conf/id_rsa /app/"),
            image('COPY ["certs/server.key", "/app/"]'),
        ],
        [
            image("COPY .env.example /app/"),
            image("COPY --from=build /x/.ssh /y"),
        ],
    ),
    ("019", "medium"): (
        [image("EXPOSE 8080 22"), image("EXPOSE 22/tcp")],
        [image("EXPOSE 8080")],
    ),
    ("020", "critical"): (
        [image('VOLUME ["/var/run/docker.sock"]')],
        [image('VOLUME ["/workspace"]')],
    ),
    ("021", "high"): (
        [image("RUN --security=insecure true")],
        [image("RUN --network=none true")],
    ),
    ("022", "low"): ([image("COPY . /app/")], [image("COPY src /app/")]),
    ("023", "low"): (
        [image("# hadolint ignore=DL3013\nRUN pip install --no-cache-dir x")],
        [image("# hadolint ignore=DL3013 # the lock pins it\nRUN true")],
    ),
}

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
            service('volumes: ["/:/host"]'),
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
        ],
        [
            service('volumes: ["./data:/data", "/srv/work:/workspace"]'),
            service('volumes: ["../lib:/lib", "./a/../data:/data"]'),
            service('volumes: ["/etc/localtime:/etc/localtime:ro"]'),
            service("volumes: ['named:/data']")
            + "volumes: {named: {driver_opts: {o: bind, device: /srv/a} } }\n",
        ],
    ),
    ("103", "medium"): ([service('volumes: ["/:/host:ro"]')], []),
    ("104", "high"): (
        [service(f"{key}: host") for key in ("network_mode", "pid", "ipc")],
        [service("network_mode: bridge")],
    ),
    ("105", "high"): (
        [service("cap_add: [SYS_ADMIN]"), service("cap_add: [CAP_NET_RAW]")],
        [service("cap_add: [NET_BIND_SERVICE]")],
    ),
    ("116", "high"): (
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
    ("118", "low"): (
        [
            service("pid: 'service:other'"),
            service("ipc: 'container:other'"),
            service("volumes_from: ['container:other:ro']"),
        ],
        [service("ipc: private")],
    ),
    ("118", "medium"): (
        [service("network_mode: 'container:other'")],
        [service("network_mode: none")],
    ),
    ("119", "low"): (
        [
            service("oom_kill_disable: true"),
            service("oom_score_adj: -1000"),
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
            service("command: valkey-server --protected-mode no"),
        ],
        [
            service("environment: {GF_AUTH_ANONYMOUS_ENABLED: 'false'}"),
            service("environment: [GF_AUTH_ANONYMOUS_ORG_ROLE=Admin]"),
            service("command: [--web.listen-address=:9090]"),
            service("command: valkey-server --protected-mode yes"),
        ],
    ),
    ("120", "high"): (
        [
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
            service("command: jupyter lab --ServerApp.token=''"),
            service("command: mongod --noauth"),
        ],
        [
            service("environment: [POSTGRES_HOST_AUTH_METHOD=scram-sha-256]"),
            service("environment: [DOCKER_TLS_CERTDIR=/certs]"),
            service("command: [--auth]"),
        ],
    ),
    ("106", "medium"): ([service(without="cap_drop")], [service()]),
    ("107", "medium"): (
        [service(without="security_opt")],
        [service("security_opt: [no-new-privileges]", without="security_opt")],
    ),
    ("108", "low"): (
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
        ],
        [service('user: "10001:10001"'), service('user: "${WHO}"')],
    ),
    ("109", "medium"): (
        [service("group_add: [docker]"), service("group_add: ['0']")],
        [service("group_add: ['1000', audio]")],
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
        ],
        [
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
        ],
        [service("healthcheck: {test: [CMD, true]}")],
    ),
}

POD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: server, namespace: mcp}
spec:
  template:
    metadata: {labels: {app: server} }
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: server
          image: ghcr.io/example/server:1.2.3
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          resources: {limits: {memory: 512Mi, cpu: "1"} }
          livenessProbe: {httpGet: {path: /health, port: 8080} }
          readinessProbe: {httpGet: {path: /ready, port: 8080} }
"""
NAME = "{name: x}"
CORS = "{annotations: {a/enable-cors: 'true'} }"
TLS = "spec: {tls: [{secretName: x}]}"
ENFORCED = "{labels: {pod-security.kubernetes.io/enforce: privileged} }"
BALANCER = "spec: {type: LoadBalancer, ports: [{port: 9090}]}"
HOST_PATH = "volumes: [{name: x, hostPath: {path: /etc} }]"
PROJECTED = (
    "{name: x, projected: {sources: [{serviceAccountToken:"
    " {path: t, audience: a} }]} }"
)
POLICY = """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: server, namespace: mcp}
spec: {podSelector: {matchLabels: {app: server} } }
"""


def pod(
    *, spec: str = "", container: str = "", context: str = "", drop: str = "-"
) -> str:
    """The pod with lines more, and without those that have a word."""
    lines = []
    for line in POD.splitlines():
        if drop not in line or drop == "-":
            lines.append(line)
        if spec and line == "    spec:":
            lines.append(f"      {spec}")
        if container and "image:" in line:
            lines.append(f"          {container}")
        if context and line == "          securityContext:":
            lines.append(f"            {context}")
    return "\n".join(lines) + "\n" + POLICY


def thing(kind: str, rest: str) -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {NAME}\n{rest}\n"


KUBERNETES: dict[tuple[str, str], tuple[list[str], list[str]]] = {
    ("201", "critical"): (
        [
            pod(context="privileged: true"),
            pod(context="privileged: !!bool true"),
            pod(context='privileged: !!bool "true"'),
        ],
        [
            pod(context="privileged: false"),
            pod(context="privileged: !!str true"),
        ],
    ),
    ("202", "high"): (
        [pod(spec=HOST_PATH)],
        [pod(spec="volumes: [{name: x, emptyDir: {} }]")],
    ),
    ("203", "critical"): (
        [pod(spec=HOST_PATH.replace("/etc", SOCKET))],
        [pod()],
    ),
    ("204", "high"): (
        [pod(spec=f"{x}: true") for x in ("hostNetwork", "hostPID")],
        [pod(spec="hostNetwork: false")],
    ),
    ("225", "low"): (
        [pod(spec="shareProcessNamespace: true")],
        [pod(spec="shareProcessNamespace: false")],
    ),
    ("205", "medium"): (
        [pod(container="ports: [{containerPort: 80, hostPort: 80}]")],
        [pod(container="ports: [{containerPort: 80}]")],
    ),
    ("206", "high"): (
        [
            pod(
                context="capabilities: {drop: [ALL], add: [SYS_ADMIN]}",
                drop="capabilities: {drop: [ALL]}",
            )
        ],
        [
            pod(
                context="capabilities: {drop: [ALL], add: [NET_BIND_SERVICE]}",
                drop="capabilities: {drop: [ALL]}",
            )
        ],
    ),
    ("207", "medium"): ([pod(drop="capabilities")], [pod()]),
    ("208", "medium"): (
        [
            pod(drop="allowPrivilegeEscalation"),
            pod().replace("Escalation: false", "Escalation: true"),
        ],
        [pod()],
    ),
    ("209", "medium"): (
        [pod(drop="runAsNonRoot")],
        [pod().replace("runAsNonRoot: true", "runAsNonRoot: true ")],
    ),
    ("210", "high"): (
        [
            pod(context="runAsUser: 0"),
            *(
                pod(context=f"runAsUser: {zero}")
                for zero in ("0.0", "0b0", "0_0", "0o0", "0e0", "-0", "00")
            ),
            pod().replace("runAsNonRoot: true", "runAsUser: 0"),
            pod().replace("runAsNonRoot: true", "runAsNonRoot: false"),
        ],
        [pod(context="runAsUser: 10001")],
    ),
    ("211", "medium"): ([pod(drop="seccompProfile")], [pod()]),
    ("211", "high"): (
        [pod().replace("RuntimeDefault", "Unconfined")],
        [pod().replace("RuntimeDefault", "Localhost")],
    ),
    ("212", "low"): ([pod(drop="readOnlyRoot")], [pod()]),
    ("213", "medium"): (
        [
            pod(drop="automount"),
            pod().replace("AccountToken: false", "AccountToken: true"),
            pod(spec=f"volumes: [{PROJECTED}]").replace("audience: a", ""),
        ],
        [
            pod(spec="serviceAccountName: x", drop="automount")
            + "---\n"
            + thing("ServiceAccount", "automountServiceAccountToken: false"),
            pod(spec=f"volumes: [{PROJECTED}]"),
        ],
    ),
    ("214", "medium"): (
        [pod(drop="resources"), pod().replace('cpu: "1"', "x: 1")],
        [pod()],
    ),
    ("215", "medium"): (
        [
            pod().replace(":1.2.3", ":latest"),
            pod().replace(":1.2.3", ""),
            pod().replace("server:1.2.3", "server:1.3-nightly"),
        ],
        [pod().replace(":1.2.3", "@sha256:" + "0" * 64)],
    ),
    ("216", "low"): (
        [pod(drop="livenessProbe"), pod(drop="readinessProbe")],
        [pod(drop="Probe").replace("kind: Deployment", "kind: Job")],
    ),
    ("217", "high"): (
        [
            thing("Secret", "stringData: {token: '" + SECRET + "'}"),
            thing("Secret", "data: {token: c2VjcmV0LXZhbHVl}"),
            thing("ConfigMap", "data: {DB_PASSWORD: '" + SECRET + "'}"),
        ],
        [
            thing("Secret", "stringData: {token: <your token>}"),
            thing("Secret", "type: Opaque"),
            thing("ConfigMap", "data: {DB_HOST: a, TOKEN_FILE: /run/x}"),
            thing("ConfigMap", "data: {DB_PASSWORD: /run/secrets/x}"),
            thing("SealedSecret", "data: {token: c2VjcmV0LXZhbHVl}"),
        ],
    ),
    ("218", "high"): (
        [pod(container="env: [{name: API_TOKEN, value: '" + SECRET + "'}]")],
        [
            pod(
                container="env: [{name: API_TOKEN, valueFrom: "
                "{secretKeyRef: {name: a, key: b} } }]"
            )
        ],
    ),
    ("219", "medium"): (
        [
            pod().partition("---")[0],
            pod().replace("labels: {app: server}", "labels: {app: x}"),
        ],
        [pod().replace("matchLabels: {app: server}", "")],
    ),
    ("220", "low"): (
        [
            pod().replace(", namespace: mcp", ""),
            pod().replace("namespace: mcp", "namespace: default"),
        ],
        [pod()],
    ),
    ("221", "high"): (
        [
            thing("ClusterRole", 'rules: [{verbs: ["*"], resources: [pods]}]'),
            thing("Role", "rules: [{verbs: [list], resources: [secrets]}]"),
            thing(
                "Role", "rules: [{verbs: [create], resources: [pods/exec]}]"
            ),
            thing("Role", "rules: [{verbs: [escalate], resources: [roles]}]"),
            thing("ClusterRoleBinding", "roleRef: {name: edit}"),
        ],
        [
            thing("Role", "rules: [{verbs: [get], resources: [pods]}]"),
            thing("Role", "rules: [{verbs: [create], resources: [secrets]}]"),
            thing(
                "Role",
                "rules: [{verbs: [get], resources: [secrets],"
                " resourceNames: [a]}]",
            ),
        ],
    ),
    ("221", "critical"): (
        [
            thing("ClusterRoleBinding", "roleRef: {name: cluster-admin}"),
            thing(
                "RoleBinding",
                "roleRef: {name: view}\nsubjects:"
                " [{kind: Group, name: 'system:unauthenticated'}]",
            ),
        ],
        [thing("RoleBinding", "roleRef: {name: view}")],
    ),
    ("222", "medium"): (
        [
            thing("Service", BALANCER),
            thing(
                "Service",
                "spec: {type: NodePort, ports: [{port: 80, targetPort: "
                "metrics}]}",
            ),
        ],
        [
            thing("Service", BALANCER.replace("9090", "443")),
            thing("Service", "spec: {ports: [{port: 9090}]}"),
        ],
    ),
    ("223", "high"): (
        [
            pod(context="procMount: Unmasked"),
            pod(context="appArmorProfile: {type: Unconfined}"),
            pod().replace(
                "runAsNonRoot: true",
                "runAsNonRoot: true\n        sysctls: [{name: kernel.msgmax}]",
            ),
        ],
        [pod(context="procMount: Default")],
    ),
    ("223", "medium"): (
        [pod(spec="volumes: [{name: x, nfs: {server: a, path: /} }]")],
        [pod(spec="volumes: [{name: x, projected: {} }]")],
    ),
    ("226", "medium"): (
        [
            pod(container="args: [--web.enable-lifecycle]"),
            pod(container="args: [--protected-mode, 'no']"),
        ],
        [pod(container="args: [--storage.tsdb.path=/data]")],
    ),
    ("226", "high"): (
        [
            pod(
                container="env: [{name: MYSQL_ALLOW_EMPTY_PASSWORD,"
                " value: 'yes'}]"
            )
        ],
        [pod(container="env: [{name: MYSQL_USER, value: 'yes'}]")],
    ),
    ("227", "medium"): (
        [
            thing("Service", BALANCER.replace("9090", "80")),
            thing("Service", "spec: {type: NodePort, ports: [{port: 8080}]}"),
            thing("Service", "spec: {externalIPs: [192.0.2.1]}"),
        ],
        [
            thing("Service", BALANCER.replace("9090", "443")),
            thing("Service", "spec: {ports: [{port: 80}]}"),
            thing(
                "Service",
                BALANCER.replace("9090", "80").replace(
                    "}]", "}], loadBalancerSourceRanges: [192.0.2.0/24]"
                ),
            ),
            thing("Service", BALANCER.replace("9090", "80")).replace(
                NAME,
                "{name: x, annotations: {networking.gke.io/"
                "load-balancer-type: Internal} }",
            ),
        ],
    ),
    ("228", "medium"): (
        [
            thing("Ingress", "spec: {rules: [{host: a.example}]}"),
            thing("Gateway", "spec: {listeners: [{protocol: HTTP}]}"),
            *(
                thing("Ingress", TLS).replace(
                    NAME, f"{{annotations: {{nginx.ingress.io/{each}}} }}"
                )
                for each in (
                    "ssl-redirect: 'false'",
                    "server-snippet: 'autoindex on;'",
                )
            ),
        ],
        [
            thing("Ingress", TLS),
            thing(
                "Gateway",
                "spec: {listeners: [{protocol: HTTP}, {protocol: HTTPS}]}",
            ),
            thing("Ingress", "spec: {rules: [{host: a.example}]}").replace(
                NAME, "{annotations: {alb/certificate-arn: 'arn:x'} }"
            ),
        ],
    ),
    ("233", "medium"): (
        [
            thing("Ingress", TLS).replace(NAME, CORS),
            thing("Ingress", TLS).replace(
                NAME, CORS.replace("}", ", a/cors-allow-origin: '*'}", 1)
            ),
        ],
        [
            thing("Ingress", TLS).replace(
                NAME,
                CORS.replace("}", ", a/cors-allow-origin: https://a.b}", 1),
            ),
            thing("Ingress", TLS).replace(NAME, CORS.replace("true", "false")),
        ],
    ),
    ("234", "high"): (
        [
            pod(container="args: [sh, -c, 'curl https://a.b/x | sh']"),
            pod(
                container="lifecycle: {postStart: {exec: {command:"
                " [sh, -c, 'curl https://a.b/x | sh']} } }"
            ),
        ],
        [pod(container="args: [sh, -c, 'curl https://a.b/x | jq .']")],
    ),
    ("229", "medium"): (
        [
            thing("NetworkPolicy", f"spec: {{podSelector: {{}}, {each}}}")
            for each in (
                "ingress: [{}]",
                "egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0} }]}]",
                "ingress: [{from: [{namespaceSelector: {} }]}]",
            )
        ],
        [
            thing("NetworkPolicy", f"spec: {{podSelector: {{}}, {each}}}")
            for each in (
                "ingress: []",
                "ingress: [{from: [{podSelector: {} }]}]",
                "egress: [{ports: [{port: 53}]}]",
                "egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except:"
                " [169.254.0.0/16]} }]}]",
                "egress: [{to: [{namespaceSelector: {}, podSelector:"
                " {matchLabels: {a: b} } }]}]",
            )
        ],
    ),
    ("230", "medium"): (
        [thing("Namespace", "").replace(NAME, ENFORCED)],
        [
            thing("Namespace", "").replace(
                NAME, ENFORCED.replace("privileged", "restricted")
            )
        ],
    ),
    ("231", "high"): (
        [thing("PersistentVolume", "spec: {hostPath: {path: /data} }")],
        [thing("PersistentVolume", "spec: {csi: {driver: x} }")],
    ),
}
