#!/usr/bin/env python
"""The one command line of the portal: `manage.py <command>`."""

import os
import sys

from django.core.management import execute_from_command_line

from config.catalogue import catalogue_compile
from config.startup import cannot_start, server_finding, start_refusal, tell
from core.embedded.errors import EmbeddedServerError
from core.embedded.services import embedded_services

# These read no database; every other command finds one running, embedded or configured.
WITHOUT_DATABASE = {"help", "check", "collectstatic", "diffsettings", "spectacular", "translations"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    catalogue_compile()
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks_only = command.startswith("-") or bool({"-h", "--help"} & set(sys.argv))
    as_json = "--json" in sys.argv
    # Help on the demo is given whatever its ports are.
    refusal = start_refusal("help" if asks_only else command)
    if refusal is not None:
        sys.exit(tell(refusal, as_json=as_json))
    if command in WITHOUT_DATABASE or asks_only:
        execute_from_command_line(sys.argv)
        return
    try:
        with embedded_services():
            execute_from_command_line(sys.argv)
    except EmbeddedServerError as error:
        sys.exit(tell(cannot_start(command, [server_finding(error)]), as_json=as_json))


if __name__ == "__main__":
    main()
