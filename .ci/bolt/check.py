"""Asks `tack installs import --dry-run` what is in each store that `stores.py` and `stores.js` made, and compares it with the story.

    python3 .ci/bolt/check.py TACK STORY.json OUT
"""

import json
import pathlib
import subprocess
import sys

tack, story, out = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()), pathlib.Path(sys.argv[3])


def end(token):
    return token[-4:]


# What must be there at the end: the last bot token of each place, the last token of each person, without what was deleted.
bots, people = {}, {}
for step in story["steps"]:
    if step["do"] == "save":
        key = (step["team"] or step["enterprise"])[0]
        bots[key] = step
        if step.get("user_token"):
            people[key, step["user"]] = step["user_token"]
    elif "user" in step:
        people.pop((step["team"], step["user"]), None)
    else:
        bots.pop(step["team"])
        people = {of: token for of, token in people.items() if of[0] != step["team"]}

STORES = [
    ("bolt-file", "file"),
    ("bolt-file", "file-of-a-client"),
    ("bolt-s3", "s3"),
    ("bolt-sqlalchemy", "sqlalchemy.db"),
    ("bolt-sqlalchemy", "sqlite3.db"),
    ("bolt-sqlalchemy", "dump"),
    ("bolt-file", "js/store"),
    ("bolt-file", "js-of-a-client"),
]
secrets = [step[name] for step in story["steps"] for name in ("token", "user_token", "refresh") if step.get(name)]
for source, path in STORES:
    asked = [tack, "installs", "import", "--from", source, str(out / path), "--dry-run", "--json"]
    ran = subprocess.run(asked, capture_output=True, text=True, env={}, timeout=60)
    assert ran.returncode == 0, (path, ran.stderr)
    assert not any(secret in ran.stdout + ran.stderr for secret in secrets), f"{path}: a token was printed"
    answer = json.loads(ran.stdout)
    found = {one["id"]: one for one in answer["installations"]}
    assert set(found) == set(bots), (path, sorted(found), sorted(bots))
    for key, step in bots.items():
        one = found[key]
        shown = one["bot"]["token"]
        assert shown.endswith(end(step["token"])) or shown.endswith("…"), (path, key, shown)
        assert one["bot"]["rotates"] == ("refresh" in step), (path, key)
        assert one["bot"]["expires_at"] == (step["expires_at"] * 1000 if "expires_at" in step else None), (path, key)
        assert one["has_webhook"] == ("webhook" in step), (path, key)
        assert one["installation"]["bot_user"] == step["bot_user"], (path, key)
        assert one["installation"]["installer"] == step["user"], (path, key)
        assert (one["installation"]["team"] is None) == (step["team"] is None), (path, key)
        theirs = {user["user"]: user["token"]["token"] for user in one["users"]}
        meant = {user: token for (of, user), token in people.items() if of == key}
        assert set(theirs) == set(meant), (path, key, theirs)
        for user, token in meant.items():
            assert theirs[user].endswith(end(token)) or theirs[user].endswith("…"), (path, key, user)
    assert any("the old app must stop before" in warning for warning in answer["warnings"]), (path, answer["warnings"])
    print(f"ok: {source} {path}: {len(found)} installations, {len(people)} people's tokens")
