"""Reads a token a line, and says `good ID` or `refused`. TIME, if set, is what the clock says."""
import os
import sys
from datetime import datetime, timezone

import jwt
from page import user_of

if "TIME" in os.environ:

    class Stopped(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(int(os.environ["TIME"]), tz or timezone.utc)

    jwt.api_jwt.datetime = Stopped

for line in sys.stdin:
    try:
        print("good", user_of(line.rstrip("\n")), flush=True)
    except Exception as error:
        print("refused", type(error).__name__, flush=True)
