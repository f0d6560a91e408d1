"""`python -m vaekit`: the same as the command `vaekit`."""

from vaekit.cli.main import main

main()
