"""For each rule of Dockerfiles: what fires it, and what does not."""

from .small import SECRET

IMAGE = """\
FROM python:3.13.9-slim AS build
WORKDIR /build
COPY pyproject.toml ./
RUN pip install --no-cache-dir build==1.3.0
FROM python:3.13.9-slim
RUN rm -rf /usr/local/bin/pip* && chmod a-s /bin/su
RUN useradd --uid 10001 --no-create-home mcpuser
COPY --from=build /app /app
{}
USER 10001:10001
HEALTHCHECK CMD ["python", "-m", "small_server", "health"]
ENTRYPOINT ["python", "-P", "-m", "small_server"]
"""
LAST = "FROM python:3.13.9-slim\n{}\nHEALTHCHECK CMD true\n"
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
            image("COPY --from=ghcr.io/example/tool:latest /tool /bin/"),
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
            image(
                'RUN python -c "import urllib.request as u;'
                " exec(u.urlopen('https://a.example/x').read())\""
            ),
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
    ("029", "medium"): (
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
    ("005", "high"): (
        [
            image("RUN wget --no-check-certificate https://example.com/a"),
            image("RUN curl -fsSkL https://example.com/a -o a"),
            image("RUN curl --insecure https://example.com/a -o a"),
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
    ("024", "high"): (
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
    ("027", "high"): (
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
            image("").replace("RUN pip", "RUN apt-get install -y gcc && pip"),
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
    ("031", "low"): (
        [
            image("COPY --from=ghcr.io/astral-sh/uv:0.9.1 /uv /bin/"),
            image("RUN pip install --no-cache-dir uv==0.9.1"),
            image("").replace("rm -rf /usr/local/bin/pip* && ", ""),
            image("").replace(" && chmod a-s /bin/su", ""),
            image("RUN python -m pip install --no-cache-dir pipx==1.8.0"),
        ],
        [
            image("RUN rm -rf /usr/local/bin/pip*"),
            image("").replace("RUN pip", "COPY --from=a:1 /uv /bin/\nRUN pip"),
        ],
    ),
    ("014", "high"): (
        [
            image("RUN --mount=type=secret,id=k cp /run/secrets/k /etc/k"),
            image(RUN + f"export API_TOKEN={SECRET} && true"),
            image(RUN + f"cli login --password {SECRET}"),
            image(RUN + f"cli login --password={SECRET}"),
            image(
                RUN + "git clone -b v1 https://me:" + SECRET + "@example.com/a"
            ),
            image(RUN + f"curl -H 'Authorization: Bearer {SECRET}' x -o y"),
            image(RUN + f"echo root:{SECRET} | chpasswd"),
            image(RUN + f"echo 'machine a login b password {SECRET}' >/n"),
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
            image("RUN chown root:mcpuser /app && chmod -R g+w /app"),
        ],
        [
            image("RUN chown mcpuser /workspace"),
            image("RUN chown -R root:root /app"),
            image("RUN chown root:mcpuser /app && chmod -R g-w /app"),
        ],
    ),
    ("030", "high"): (
        [
            image("RUN useradd --non-unique --uid 0 admin"),
            image("RUN adduser -D -u 0 admin"),
            image("RUN usermod -aG audio,docker mcpuser"),
            image("RUN useradd --groups root other"),
        ],
        [
            image("RUN useradd --uid 1000 --gid 0 admin"),
            image("RUN usermod -aG audio mcpuser"),
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
    ("005", "medium"): (
        [image("RUN uv pip install git+https://example.com/a")],
        [],
    ),
    ("033", "medium"): (
        [image("ENV FLASK_DEBUG=1")],
        [image("ENV FLASK_DEBUG=0")],
    ),
    ("033", "critical"): (
        [
            image("")
            .replace(
                '["python",', '["python", "-m", "debugpy", "--listen", "::1",'
            )
            .replace("::1", "0.0.0.0:5678"),
            image("CMD jupyter lab --ServerApp.token=''"),
        ],
        [
            image("").replace(
                '["python",',
                '["python", "-m", "debugpy", "--listen", "127.0.0.1:5678",',
            ),
        ],
    ),
    ("032", "medium"): (
        [
            image("").replace("RUN pip", f"RUN {command}\nRUN pip")
            for command in (
                "uv sync --no-dev",
                "uv sync --frozen --upgrade",
                "uv pip install --no-cache requests",
                "pip install --no-cache-dir 'requests>=2'",
                "python -m pip install --no-cache-dir -q flask x==1.2",
                "npm install",
                "npm install --global typescript",
                "uv build --wheel",
                "git clone --depth 1 https://host/a /a",
            )
        ],
        [
            image("").replace("RUN pip", f"{line}\nRUN pip")
            for line in (
                "RUN uv sync --frozen --no-dev",
                "RUN uv --quiet sync --locked",
                "ENV UV_FROZEN=1\nRUN uv sync --no-dev",
                "RUN uv pip install --python /app --no-deps dist/*.whl",
                "RUN pip install --no-cache-dir -r requirements.txt .",
                "RUN pip install --no-cache-dir -c versions.txt requests",
                "RUN pip install --no-cache-dir 'requests[socks]==2.32.4'",
                "RUN pip install --no-cache-dir requests~=2.32.4",
                "RUN npm ci",
                "RUN npm install --global typescript@5.9.3",
                "RUN uv build --wheel --require-hashes",
                "RUN git clone --branch v1.2 https://host/a /a",
                "RUN git clone https://host/a && git -C a checkout 0a1b2c3d",
            )
        ],
    ),
    ("022", "medium"): ([image("COPY . /app/")], [image("COPY src /app/")]),
    ("023", "low"): (
        [image("# hadolint ignore=DL3042\nRUN pip install x==1.2")],
        [
            image(f"# hadolint ignore=DL3013 # the lock pins it\n{line}")
            for line in ("RUN true", "RUN pip install x", "RUN a\\\n&&npm i x")
        ],
    ),
}
