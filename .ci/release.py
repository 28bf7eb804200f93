"""Looks at release functions: size, and that each holds its own half of an app only.

    python3 .ci/release.py INGRESS WORKER OAUTH 'what it is=a word of it' ...

The words are those of lazy code: the worker must hold them, the other two must not.
"""

import sys
import zlib
from pathlib import Path

MB = 1_000_000
# What every app's worker links and no ingress may.
FRAMEWORK = [
    "the Web API client=the address or the token cannot be sent",
    "DynamoDB=DynamoDB_20120810",
    "KMS=TrentService",
]

ingress, worker, oauth = (Path(path).read_bytes() for path in sys.argv[1:4])
failed = False
for name, binary, most in (("ingress", ingress, 3.0), ("worker", worker, 4.5), ("oauth", oauth, 4.5)):
    zipped = len(zlib.compress(binary, 9)) / MB
    good = zipped <= most
    failed |= not good
    print(f"{name}: {len(binary) / MB:.2f} MB, {zipped:.2f} MB zipped (at most {most}) {'ok' if good else 'TOO LARGE'}")
for pair in FRAMEWORK + sys.argv[4:]:
    what, word = pair.split("=", 1)
    in_worker, in_ingress, in_oauth = (word.encode() in binary for binary in (worker, ingress, oauth))
    # The install pages keep installations too, but run no listener.
    good = in_worker and not in_ingress and (pair in FRAMEWORK or not in_oauth)
    failed |= not good
    where = f"in the worker {in_worker}, in the ingress {in_ingress}, in oauth {in_oauth}"
    print(f"{what}: {where} {'ok' if good else 'WRONG'}")
for word in ("jent_", "aws_lc_"):
    if any(word.encode() in binary for binary in (ingress, worker, oauth)):
        failed = True
        print(f"{word}: linked, see .cargo/config.toml")
sys.exit(failed)
