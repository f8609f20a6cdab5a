"""For each rule of manifests: what fires it, and what does not."""

from .compose_cases import SOCKET
from .small import SECRET

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
ROUTE = (
    "spec: {parentRefs: [{name: x, sectionName: https}],"
    " rules: [{backendRefs: [{name: x, port: 80}]}]}"
)
ENFORCED = "{labels: {pod-security.kubernetes.io/enforce: privileged} }"
RESTRICTED = ENFORCED.replace("privileged", "restricted")
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
    ("225", "medium"): (
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
    ("212", "medium"): ([pod(drop="readOnlyRoot")], [pod()]),
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
        [pod(drop="resources"), pod().replace("memory: 512Mi", "x: 1")],
        [pod()],
    ),
    ("214", "low"): (
        [
            pod().replace('cpu: "1"', "x: 1"),
            pod().replace("{lim", "{requests: {ephemeral-storage: 1Gi}, lim"),
        ],
        [],
    ),
    ("237", "low"): (
        [pod(spec="volumes: [{name: x, emptyDir: {medium: Memory} }]")],
        [
            pod(
                spec="volumes: [{name: x,"
                " emptyDir: {medium: Memory, sizeLimit: 16Mi} }]"
            ),
            pod(spec="volumes: [{name: x, emptyDir: {} }]"),
        ],
    ),
    ("202", "critical"): (
        [pod(spec=HOST_PATH.replace("/etc", "/"))],
        [],
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
            thing("Role", "rules: [{verbs: [create], resources: [pods]}]"),
            thing("Role", "rules: [{verbs: [patch], resources: [jobs]}]"),
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
                "HTTPRoute",
                "spec: {rules: [{backendRefs: [{name: metrics, port: 1}]}]}",
            ),
            thing(
                "Service",
                "spec: {type: NodePort, ports: [{port: 80, targetPort: "
                "metrics}]}",
            ),
        ],
        [
            thing("Service", BALANCER.replace("9090", "443")),
            thing(
                "HTTPRoute",
                "spec: {rules: [{backendRefs: [{name: server, port: 80}]}]}",
            ),
            thing("Service", "spec: {ports: [{port: 9090}]}"),
        ],
    ),
    ("223", "high"): (
        [
            pod(context="procMount: Unmasked"),
            pod(context="appArmorProfile: {type: Unconfined}"),
        ],
        [pod(context="procMount: Default")],
    ),
    ("223", "medium"): (
        [
            pod(spec="volumes: [{name: x, nfs: {server: a, path: /} }]"),
            pod().replace(
                "runAsNonRoot: true",
                "runAsNonRoot: true\n        sysctls: [{name: kernel.msgmax}]",
            ),
            pod(context="runAsGroup: 0"),
            pod(context="fsGroup: 0"),
        ],
        [
            pod(spec="volumes: [{name: x, projected: {} }]"),
            pod(context="runAsGroup: 10001"),
        ],
    ),
    ("226", "medium"): (
        [pod(container="args: [--web.enable-lifecycle]")],
        [pod(container="args: [--storage.tsdb.path=/data]")],
    ),
    ("226", "high"): (
        [
            pod(container="args: [--protected-mode, 'no']"),
            pod(
                container="env: [{name: MYSQL_ALLOW_EMPTY_PASSWORD,"
                " value: 'yes'}]"
            ),
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
            thing("HTTPRoute", ROUTE.replace("https", "http")),
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
            thing("HTTPRoute", ROUTE),
            thing("HTTPRoute", ROUTE.replace("https", "http")).replace(
                "backendRefs: [{name: x, port: 80}]", "filters: [{type: x}]"
            ),
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
                "ingress: [{ports: [{port: 8080}]}]",
                "egress: [{ports: [{port: 53}, {port: 6379}]}]",
            )
        ],
        [
            thing("NetworkPolicy", f"spec: {{podSelector: {{}}, {each}}}")
            for each in (
                "ingress: []",
                "ingress: [{from: [{podSelector: {} }]}]",
                "egress: [{ports: [{port: 53}]}]",
                "egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0} }],"
                " ports: [{port: 443}]}]",
                "egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except:"
                " [169.254.0.0/16]} }]}]",
                "egress: [{to: [{namespaceSelector: {}, podSelector:"
                " {matchLabels: {a: b} } }]}]",
            )
        ],
    ),
    ("235", "medium"): (
        [
            pod(spec="volumes: [{name: x, secret: {defaultMode: 0777} }]"),
            pod(spec="volumes: [{name: x, secret: {defaultMode: 0o666} }]"),
            pod(
                spec="volumes: [{name: x, projected: {sources: [],"
                " items: [{mode: 0775}]} }]"
            ),
        ],
        [
            pod(spec="volumes: [{name: x, secret: {defaultMode: 0400} }]"),
            pod(spec="volumes: [{name: x, secret: {defaultMode: 292} }]"),
            pod(spec="volumes: [{name: x, configMap: {defaultMode: 0755} }]"),
        ],
    ),
    ("236", "medium"): (
        [thing("Namespace", "").replace(NAME, RESTRICTED) + POLICY],
        [
            thing("Namespace", "").replace(NAME, RESTRICTED)
            + POLICY.replace("{matchLabels: {app: server} }", "{}"),
            POLICY,
        ],
    ),
    ("230", "high"): ([thing("Namespace", "").replace(NAME, ENFORCED)], []),
    ("230", "medium"): (
        [thing("Namespace", "")],
        [
            thing("Namespace", "").replace(
                NAME, ENFORCED.replace("privileged", "restricted")
            )
        ],
    ),
    ("231", "medium"): (
        [thing("PersistentVolume", "spec: {hostPath: {path: /data} }")],
        [thing("PersistentVolume", "spec: {csi: {driver: x} }")],
    ),
}
