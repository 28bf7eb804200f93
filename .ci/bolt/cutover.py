"""A live app moves from Bolt to Tack: installed by its old self in two workspaces and an organisation, its stores imported, and then
the bot answers in each workspace with that workspace's token.

    python3 .ci/bolt/cutover.py TACK

Starts TACK for itself. The old app is Bolt's own stores, written by its real packages (`run` beside this file), with tokens that the
simulated Slack gave it.
"""

import base64
import json
import pathlib
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
CLIENT_ID, CLIENT_SECRET = "1234567890.1234567890", "simulated-client-secret"
SCOPES = "app_mentions:read,channels:history,channels:read,chat:write,commands,users:read"
# Who installs it there, and says hi afterwards.
PLACES = {
    "T0GLOBEX1": ("hank", {"team": "T0GLOBEX1"}),
    "E0HOOLI01": ("gavin", {"enterprise": "E0HOOLI01"}),
}

tack = subprocess.Popen(
    [sys.argv[1], "--no-watch", "--no-open", "--app-port", "0", "--workbench-port", "0", "--aws-port", "0"],
    stdout=subprocess.PIPE,
    text=True,
    env={},
)
slack = None
for line in tack.stdout:
    if line.startswith("  Slack "):
        slack = line.split()[1]
        break
assert slack, "tack did not become ready"


def ask(path, body=None, headers=(), form=None):
    data = urllib.parse.urlencode(form).encode() if form else json.dumps(body).encode() if body is not None else None
    kind = {} if form else {"content-type": "application/json"}
    request = urllib.request.Request(slack + path, data, {**kind, **dict(headers)})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def old_app_installs(person, target):
    """What Bolt's own install flow does, up to the token."""
    query = urllib.parse.urlencode({"client_id": CLIENT_ID, "scope": SCOPES})
    url = ask("/sim/oauth/allow", {"query": query, "as": person, **target, "without_state": True})["redirect"]
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["code"][0]
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    answer = ask("/api/oauth.v2.access", form={"code": code}, headers={"authorization": f"Basic {basic}"})
    assert answer["ok"], answer["error"]
    return answer["access_token"]


def calls(method):
    return [call for call in ask("/sim/calls")["calls"] if call["method"] == method]


def until(what, look):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := look():
            print("ok:", what)
            return found
        time.sleep(0.05)
    sys.exit(f"did not happen: {what}")


def say(person, channel):
    before = len(calls("chat.postMessage"))
    ask("/sim/act", {"act": "say", "as": person, "channel": channel, "text": "hi"})
    return before


try:
    tokens = {place: old_app_installs(person, target) for place, (person, target) in PLACES.items()}
    ask("/sim/act", {"act": "grant_team", "as": "gavin", "team": "T0HOOLIX1"})
    bots = [argument for place, token in tokens.items() for argument in ("--bot", f"{place}={token}")]
    subprocess.run([HERE / "run", sys.argv[1], *bots], check=True)
    stores = HERE / "../../target/bolt/stores"
    for source, store in [("bolt-sqlalchemy", "sqlalchemy.db"), ("bolt-file", "js/store"), ("bolt-file", "file"), ("bolt-s3", "s3")]:
        imported = [sys.argv[1], "--workbench", slack, "installs", "import", "--from", source, str(stores / store)]
        ran = subprocess.run(imported, capture_output=True, text=True, env={}, timeout=60)
        assert ran.returncode == 0, (store, ran.stderr)
        assert not any(token in ran.stdout + ran.stderr for token in tokens.values()), f"{store}: a token was printed"
        print("ok: imported", store)
    for place, (person, _) in PLACES.items():
        before = say(person, "#general")
        call = until(f"hi is answered in {place}", lambda: calls("chat.postMessage")[before:])[0]
        assert call["answer"]["ok"], call
        print(f"ok: with the token of {call['team']}")
finally:
    tack.send_signal(signal.SIGINT)
    tack.wait(timeout=20)
