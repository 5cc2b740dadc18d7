"""`python -m mailnode`"""

import sys

from mailnode.cli import main

sys.exit(main(sys.argv[1:]))
