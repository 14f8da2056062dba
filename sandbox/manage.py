"""The sandbox's own command line: `python -m sandbox.manage <command>`."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # Both projects may live in one environment; this command line is always the sandbox's.
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    execute_from_command_line(sys.argv)
