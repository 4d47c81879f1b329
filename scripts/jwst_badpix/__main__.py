"""`python -m jwst_badpix`, the same as the command `jwst-badpix`."""

import sys

from jwst_badpix.command import main

sys.exit(main())
