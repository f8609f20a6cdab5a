import time

import pytest

from scanner.downloads import Downloads
from scanner.shell import MAX_COMMANDS, MAX_LENGTH, commands

EXECUTED = [
    "curl x | sh",
    "curl -sSL https://x/y | sudo -E bash -",
    "wget -qO- x | bash -s -- --a b",
    "curl x|sh",
    "curl 'x' 2>&1 | bash",
    "curl x | bash > /dev/null",
    "curl x | tee f | sh",
    "curl x | base64 -d | sh",
    "curl x | python3 -",
    "curl x | python3",
    "curl x | sudo -u root bash",
    "timeout 10 curl x | sh",
    "env A=1 curl x | env B=2 bash",
    "curl -fsSL x \\\n | sh",
    "curl x |\n  sh",
    "if ! curl x | bash; then exit 1; fi",
    "(curl x) | sh",
    "curl x | (sh)",
    "cd /a && (cd /x && curl x | sh)",
    "echo $(curl x | sh)",
    "bash -c 'curl x | sh'",
    "bash <(curl x)",
    ". <(curl x)",
    "source <(curl x)",
    'sh -c "$(curl -fsSL x)"',
    'sh -c "$(curl x) && echo hi"',
    "sh -c `curl x`",
    'eval "$(wget -O - x)"',
    "$(curl x)",
    "curl -o /tmp/i.sh https://x && sh /tmp/i.sh",
    "curl -sSLo i.sh x; chmod +x i.sh; ./i.sh",
    "curl x > a.py && python3 a.py",
    "curl x >i;sh<i",
    "curl --output=i.sh x && . i.sh",
    "wget https://e/install.sh && bash install.sh",
    "wget https://e/install.sh?x=1\nchmod +x ./install.sh\n./install.sh --y",
    "wget -O i.sh x && sh i.sh",
    "wget --output-document=i.sh x && sh i.sh",
    "curl https://e/get-pip.py -o get-pip.py && python get-pip.py",
    "iwr https://x | iex",
    "sha256sum -c s && curl -o x.sh u && sh x.sh",
    "curl -o x.sh u && echo '0  y.sh' > s && sha256sum -c s && sh x.sh",
    "curl -o x.sh u && echo '0  y.sh' | tee s && sha256sum -c s && sh x.sh",
    "curl -o x.sh u && curl -o y.sh u && sha256sum -c y.sh.sha256 && sh x.sh",
    "curl -o x.sh u && echo '0  not-x.sh' | sha256sum -c - && sh x.sh",
]
NOT_EXECUTED = [
    "curl x | tar xz",
    "curl x | jq .",
    "curl x | grep -q sh",
    "curl x | sh -c 'cat'",
    "curl x | python3 -c 'import json'",
    "curl x | python -m json.tool",
    "curl x || sh y",
    "curl x; sh",
    "curl x && bash",
    "curl -f http://localhost/health || exit 1",
    "V=$(curl x) && echo $V",
    "bash script.sh $(curl x)",
    "curl -o x.sh u && sha256sum -c s && sh x.sh",
    "curl -o x.sh u && gpg --verify x.sh.asc && sh x.sh",
    "curl -o x.sh u && echo '0  x.sh' > s && sha256sum -c s && sh x.sh",
    "curl -o x.sh u && echo '0 */t/x.sh' | tee s && sha256sum -c s; sh x.sh",
    "curl -o x.sh u; echo 0 y > s; echo 0 x.sh >> s; md5sum -c s; sh x.sh",
    'curl -o x.sh u && echo "0  $F" > s && sha256sum -c s && sh x.sh',
    "curl -o x.sh u && printf '0  x.sh\\n' > s; sha256sum -c s && sh x.sh",
    "curl -o x.sh u && sha256sum -c x.sh.sha256 && sh x.sh",
    "curl -o x.sh u && sha256sum -c all.sha256 && sh x.sh",
    "curl -o x.sh u && grep x.sh s | sha256sum -c - && sh x.sh",
    "curl -o /tmp/a x; sh b.sh",
    "wget -q u -O a.deb && dpkg -i a.deb",
    "apt-get install curl && sh x.sh",
    "echo 'curl x | sh'",
    'echo "curl x | sh"',
    "# curl x | sh\nls",
    "ls # curl x | sh",
]


def executed(script):
    return list(Downloads().executed(commands(script)))


@pytest.mark.parametrize("script", EXECUTED)
def test_what_is_fetched_and_executed_is_seen(script):
    assert executed(script)


@pytest.mark.parametrize("script", NOT_EXECUTED)
def test_what_is_fetched_and_not_executed_is_none(script):
    assert executed(script) == []


def test_a_download_is_followed_from_script_to_script():
    follower = Downloads()
    assert not list(follower.executed(commands("curl -o a.sh x")))
    assert list(follower.executed(commands("sh a.sh")))


def test_a_command_knows_its_words_targets_and_line():
    first, second = commands("a 'b c' >out 2>&1\n\nsudo -u x D=1 d \"e $f\"")
    assert (first.words, first.targets) == (("a", "b c"), ("out", "1"))
    assert (second.name, second.program[1:], second.line) == (
        "d",
        ("e $f",),
        2,
    )


@pytest.mark.parametrize(
    "script",
    [
        *("a b c " * 50_000, "'" * 300_001, '"' * 300_001, "`" * 300_001),
        *("|" * 300_000, "<" * 300_000, "\\\n" * 150_000, "1" * 300_000),
        *("#" * 300_000, "'a' " * 75_000, "$(a) " * 4_000, "(a) " * 4_000),
        *('"$(a)" ' * 4_000, "a" * 300_000 + "$(b)", "x=" * 150_000),
    ],
    ids=range(15),
)
def test_the_time_is_linear_in_the_length(script):
    start = time.process_time()
    assert not executed(script)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    "script",
    ["a;" * (MAX_COMMANDS + 1), "$(" * 1000, " " * (MAX_LENGTH + 1)],
    ids=["many", "deep", "long"],
)
def test_a_script_beyond_all_measure_is_refused(script):
    with pytest.raises(ValueError, match="more than"):
        commands(script)
