"""The command line: serve, or help with serving."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import environment, tokens
from .settings import Settings
from .settings_error import SettingsError

USAGE_ERROR = 2
STDERR = 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, and exit.

    The exit code is 0 at an orderly end, 1 where a check failed, and 2 where
    the start was refused: then each line on stderr names a variable, what is
    wrong with it and what to do.
    """
    _fill_standard_streams()
    options = _parser().parse_args(arguments)
    try:
        sys.exit(options.run(options))
    except SettingsError as error:
        _refuse(error)


def _fill_standard_streams() -> None:
    """Put nothing where stdin, stdout or stderr was closed before the start.

    What is opened next would stand there, and be written to or read from as
    if it were one of them.
    """
    descriptor = os.open(os.devnull, os.O_RDWR)
    while descriptor <= STDERR:
        descriptor = os.dup(descriptor)
    os.close(descriptor)


def _parser() -> argparse.ArgumentParser:
    file = _env_file_option(argparse.SUPPRESS)  # what stands before, stays
    parser = argparse.ArgumentParser(
        prog=__package__.replace("_", "-"),
        description=(
            "Serve tools over MCP, or run one of the commands below."
            " The settings are environment variables; README.md lists them."
        ),
        parents=[_env_file_option(None)],
    )
    parser.set_defaults(run=_serve)
    commands = parser.add_subparsers(title="commands")
    check = commands.add_parser(
        "check",
        parents=[file],
        help="say whether the server can start as it is configured",
    )
    check.set_defaults(run=_check)
    health = commands.add_parser(
        "health",
        parents=[file],
        help="exit with 0 if it is up; over stdio, if its settings are right",
    )
    health.set_defaults(run=_health)
    ready = commands.add_parser(
        "checklist",
        parents=[file],
        help="list what is not yet ready for production",
    )
    ready.set_defaults(run=_checklist)
    tokens.add_parser(commands, file)
    return parser


def _env_file_option(default: str | None) -> argparse.ArgumentParser:
    """Return an option that may stand before a command, or after it."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--env-file",
        metavar="FILE",
        default=default,
        help="read variables from this file, too; its mode must be 0600",
    )
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    from . import log

    settings = environment.load(os.environ, options.env_file)
    try:
        log.configure(settings.log_level, settings.log_file)
    except OSError as error:
        raise SettingsError(
            f"MCP_LOG_FILE: {settings.log_file} cannot be written:"
            f" {error.strerror}; name another file"
        ) from error
    return settings


def _serve(options: argparse.Namespace) -> int:
    # What is imported stays for good. To search it for garbage, again and
    # again while it grows, would take a tenth of the start.
    gc.disable()
    from .server import build
    from .serving import serve

    gc.freeze()
    gc.enable()
    serve(build, _settings(options))
    return 0


def _check(options: argparse.Namespace) -> int:
    _checked(options)
    return 0


def _checked(options: argparse.Namespace) -> Settings:
    from .server import build
    from .serving import check

    settings = _settings(options)
    check(build, settings)
    print(f"{settings.server_name}: can start over {settings.transport}")
    return settings


def _health(options: argparse.Namespace) -> int:
    from .probe import ask

    settings = environment.load(os.environ, options.env_file)
    # Nobody else can ask a server on stdio, and to build another one just to
    # see whether it can be built would take more than serving does.
    return 0 if settings.transport == "stdio" or ask(settings) else 1


def _checklist(options: argparse.Namespace) -> int:
    from . import checklist

    return checklist.run(_checked(options))


def _refuse(error: SettingsError) -> NoReturn:
    for problem in error.problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(USAGE_ERROR)


if __name__ == "__main__":
    main()
