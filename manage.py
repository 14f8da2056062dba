#!/usr/bin/env python
"""The one command line of the portal: `manage.py <command>`."""

import os
import sys

from django.core.management import execute_from_command_line

from config.catalogue import catalogue_compile
from core.embedded.services import embedded_services

# These read no database; every other command finds one running, embedded or configured.
WITHOUT_DATABASE = {"help", "check", "collectstatic", "diffsettings", "spectacular", "translations"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    catalogue_compile()
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    asks_only = command.startswith("-") or bool({"-h", "--help"} & set(sys.argv))
    if command in WITHOUT_DATABASE or asks_only:
        execute_from_command_line(sys.argv)
        return
    with embedded_services():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
