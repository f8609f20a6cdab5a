import os
import subprocess

import pytest

from scanner.project import Project, Unreadable

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX files")


def git(root, *words):
    who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    argv = ["git", "-C", str(root), *who, *words]
    subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture
def checkout(make_project):
    project = make_project()
    git(project.root, "init", "-q")
    return project


@pytest.mark.parametrize("with_git", [True, False], ids=["git", "no git"])
def test_files_are_what_git_would_take(make_project, with_git):
    project = make_project(
        **{
            ".gitignore": ".env\n*.log\n/build/\n",
            ".env": "A=1\n",
            "a.log": "",
            "build/x.py": "",
            "docs/build/y.md": "",
            "new.py": "",
        }
    )
    if with_git:
        git(project.root, "init", "-q")
        git(project.root, "add", "pyproject.toml")
    assert project.files == (
        ".gitignore",
        "docs/build/y.md",
        "new.py",
        "pyproject.toml",
        "small_server/__init__.py",
        "small_server/defaults.toml",
        "small_server/settings.py",
    )


@pytest.mark.parametrize(
    "patterns",
    [
        "*.log",
        "a",
        "/a",
        "a/",
        "/a/b",
        "b/*.txt",
        "**/c",
        "a/**",
        "a/**/c",
        "*.txt\n!keep.txt",
        "[ab].txt",
        "[!a].txt",
        "?.txt",
        "\\#x",
        "# comment\n\nx.log  ",
        "a/*\n!a/b",
        "a*c",
    ],
)
def test_gitignore_is_read_as_git_reads_it(tmp_path, patterns):
    names = ["a/b/c", "a/b/x.log", "a/c", "b/a", "b/t.txt", "b/c/t.txt", "#x"]
    names += ["keep.txt", "a.txt", "b.txt", "x.log", "abc", "d/a/e", "ab.txt"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("")
    (tmp_path / ".gitignore").write_text(patterns)
    walked = Project(tmp_path).files
    git(tmp_path, "init", "-q")
    assert walked == Project(tmp_path).files


@pytest.mark.parametrize("odd", ["[z-a]", "[!]", "[", "a[]", "**/" * 50])
def test_an_odd_pattern_ends_nothing(make_project, odd):
    assert "x.py" in make_project(**{".gitignore": odd, "x.py": ""}).files


def test_a_pattern_takes_time_linear_in_a_name(make_project):
    patterns = f"{'*a' * 40}*b\n"
    project = make_project(**{".gitignore": patterns, "a" * 200: ""})
    assert "a" * 200 in project.files


def test_code_that_git_ignores_is_seen(checkout):
    (checkout.root / ".gitignore").write_text("small_server/tools/\n")
    tools = checkout.root / "small_server" / "tools"
    (tools / "venv").mkdir(parents=True)
    (tools / "x.py").write_text("")
    (tools / "venv" / "y.py").write_text("")
    found = {f"small_server/tools/{name}" for name in ("x.py", "venv/y.py")}
    assert found < set(checkout.files)


def test_an_environment_is_told_from_a_package_of_its_name(make_project):
    files = {
        "venv/pyvenv.cfg": "",
        "venv/lib/a.py": "",
        "small_server/venv/b.py": "",
    }
    listed = make_project(**files).files
    assert "small_server/venv/b.py" in listed
    assert "venv/lib/a.py" not in listed


def test_a_submodule_is_seen(checkout):
    inner = checkout.root / "small_server" / "tools"
    inner.mkdir()
    (inner / "x.py").write_text("")
    git(inner, "init", "-q")
    git(inner, "add", "x.py")
    git(inner, "commit", "-qm", "x")
    git(checkout.root, "add", "small_server/tools")
    assert "small_server/tools/x.py" in checkout.files


@posix
def test_a_link_that_makes_code_of_something_else_was_not_seen(make_project):
    project = make_project(**{"data/p.txt": "eval(x)", "AGENTS.md": ""})
    (project.root / "small_server" / "x.py").symlink_to("../data/p.txt")
    (project.root / "Dockerfile").symlink_to("data/p.txt")
    (project.root / "CLAUDE.md").symlink_to("AGENTS.md")
    assert project.listing.unseen == ("Dockerfile", "small_server/x.py")


def test_a_nested_gitignore_holds_in_its_folder(make_project):
    files = {"a/.gitignore": "/x\n", "a/x": "", "a/y": "", "x": ""}
    project = make_project(**files)
    assert {"a/y", "x"} <= set(project.files)
    assert "a/x" not in project.files


def test_caches_and_environments_are_left_out_without_git(make_project):
    files = {".venv/a.py": "", "x/__pycache__/b.pyc": "", "ok.py": ""}
    listed = make_project(**files).files
    assert "ok.py" in listed
    assert not any(".venv" in p or "__pycache__" in p for p in listed)


def test_a_project_that_another_checkout_ignores_is_still_seen(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("*\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a.py").write_text("")
    assert Project(tmp_path / "inner").files == ("a.py",)


def test_a_repository_inside_the_project_is_seen(checkout):
    inner = checkout.root / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "a.py").write_text("")
    git(inner, "add", "a.py")
    assert "inner/a.py" in checkout.files


@posix
def test_a_hostile_checkout_runs_nothing(checkout):
    trap = checkout.root / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {checkout.root}/sprung\n")
    trap.chmod(0o755)
    git(checkout.root, "config", "core.fsmonitor", str(trap))
    assert "trap" in checkout.files
    assert not (checkout.root / "sprung").exists()


@posix
def test_links_are_listed_and_never_followed(checkout):
    root = checkout.root
    (root / "all").symlink_to("/")
    (root / "self").symlink_to(".")
    (root / "passwd.py").symlink_to("/etc/passwd")
    assert checkout.listing.links == ("all", "passwd.py", "self")
    assert not any(path.startswith(("all", "self")) for path in checkout.files)
    for path in ("passwd.py", "all/etc/passwd", "self/pyproject.toml"):
        with pytest.raises(Unreadable):
            checkout.read(path)


@posix
def test_a_tracked_folder_that_became_a_link_is_not_followed(checkout):
    git(checkout.root, "add", ".")
    package = checkout.root / "small_server"
    package.rename(checkout.root.parent / "moved")
    package.symlink_to(checkout.root.parent / "moved")
    assert not any(p.startswith("small_server/") for p in checkout.files)


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "x\0y"])
def test_nothing_outside_the_project_is_read(make_project, path):
    with pytest.raises(Unreadable):
        make_project().read(path)


@posix
def test_a_pipe_is_listed_apart_and_never_waited_for(make_project):
    project = make_project()
    os.mkfifo(project.root / "pipe.py")
    assert project.listing.special == ("pipe.py",)
    with pytest.raises(Unreadable):
        project.read("pipe.py")


@posix
@pytest.mark.parametrize("with_git", [True, False], ids=["git", "no git"])
def test_hostile_names_survive(make_project, with_git):
    project = make_project()
    names = [
        b"new\nline.py",
        b"\x1b[31mred.py",
        b"bad\xff.py",
        b"-rf",
        b"$(x)",
    ]
    for name in names:
        (project.root / os.fsdecode(name)).write_text("x = 1\n")
    if with_git:
        git(project.root, "init", "-q")
    listed = [os.fsencode(path) for path in project.files]
    assert set(names) <= set(listed)
    assert project.text("bad\udcff.py") == "x = 1\n"


def test_a_file_over_the_limit_is_refused_whole(make_project):
    project = make_project(**{"big.txt": "x" * 1000})
    assert len(project.read("big.txt", limit=1000)) == 1000
    with pytest.raises(Unreadable, match="larger than 999"):
        project.read("big.txt", limit=999)


def test_bytes_that_are_no_text_are_replaced(make_project):
    assert make_project(**{"a": b"\xff\xfea"}).text("a").endswith("a")


@posix
def test_a_deep_tree_is_walked_to_a_limit_and_said(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("deeper", dir_fd=here)
        below = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    listing = Project(tmp_path).listing
    assert len(listing.unseen) == 1


def test_ten_thousand_files_are_listed(tmp_path):
    for number in range(100):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name in range(100):
            (folder / f"{name}.txt").touch()
    assert len(Project(tmp_path).files) == 10_000


@pytest.mark.parametrize(
    ("pyproject", "package"),
    [
        ('[project]\nname = "small-server"\n', "small_server"),
        (
            '[project]\nname = "x"\nscripts = { x = "small_server.a:b" }\n',
            "small_server",
        ),
        ('[project]\nname = "x"\nscripts = { x = "../etc:b" }\n', ""),
        ("not toml", "small_server"),
        ("a = " + "[" * 5000, "small_server"),
        ('project = "x"\n', "small_server"),
    ],
    ids=["name", "script", "outside", "broken", "deep", "odd"],
)
def test_the_package_is_found_by_pyproject_or_name(
    make_project, pyproject, package
):
    assert make_project(**{"pyproject.toml": pyproject}).package == package
