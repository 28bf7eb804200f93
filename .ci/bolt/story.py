"""What happened to an app before it moved: who installed it where, in which order. The stores are made to live through it.

    python3 .ci/bolt/story.py [--bot ID=TOKEN ...]     prints it as JSON

A token given for a workspace or an organisation is the one that works there at the end; the others are made up.
"""

import argparse
import json
import time

CLIENT_ID = "1234567890.1234567890"
HOUR = 3600


def made_up(what):
    return f"xoxb-made-up-for-the-story-of-{what.lower()}"


def story(bots, now):
    """Steps: `save` an installation, `delete` one (of a person if `user` is there)."""

    def bot(of):
        return bots.get(of) or made_up(of)

    acme = {"team": ["T0ACME001", "Acme Local"], "enterprise": None, "bot_user": "U0TACKBOT", "bot_id": "B0TACK001"}
    globex = {"team": ["T0GLOBEX1", "Globex"], "enterprise": None, "bot_user": "U0TACKGLX", "bot_id": "B0TACKGLX"}
    hooli = {"team": None, "enterprise": ["E0HOOLI01", "Hooli"], "bot_user": "U0TACKHOO", "bot_id": "B0TACKHOO"}
    within = {**hooli, "team": ["T0HOOLIX1", "Hooli XYZ"], "bot_user": "U0TACKHOX"}
    gone = {"team": ["T0GONE001", "Gone"], "enterprise": None, "bot_user": "U0TACKGON", "bot_id": "B0TACKGON"}
    token = bot("T0ACME001")
    return [
        {"do": "save", **acme, "at": now - 90 * HOUR, "user": "U0ADA0001", "token": "xoxb-made-up-for-the-story-of-before", "user_token": "xoxp-made-up-for-the-story-of-ada-before"},
        {"do": "save", **gone, "at": now - 80 * HOUR, "user": "U0GONE001", "token": "xoxb-made-up-for-the-story-of-gone", "user_token": "xoxp-made-up-for-the-story-of-gone"},
        {"do": "save", **globex, "at": now - 70 * HOUR, "user": "U0HANK001", "token": bot("T0GLOBEX1"),
         "refresh": "xoxe-1-made-up-globex", "expires_at": now + 9 * HOUR,
         "webhook": {"url": "https://hooks.slack.com/services/T0GLOBEX1/B0HOOK001/madeupmadeup", "channel": "#lobby",
                     "channel_id": "C0LOBBY01", "configuration_url": "https://globex.slack.com/services/B0HOOK001"}},
        {"do": "save", **hooli, "at": now - 60 * HOUR, "user": "U0GAVIN01", "token": bot("E0HOOLI01")},
        {"do": "save", **within, "at": now - 55 * HOUR, "user": "U0JIAN001", "token": bot("T0HOOLIX1")},
        {"do": "save", **acme, "at": now - 50 * HOUR, "user": "U0LINUS01", "token": token, "user_token": "xoxp-made-up-for-the-story-of-linus"},
        {"do": "save", **acme, "at": now - 40 * HOUR, "user": "U0GRACE01", "token": token, "user_token": "xoxp-made-up-for-the-story-of-grace"},
        {"do": "save", **acme, "at": now - 30 * HOUR, "user": "U0ADA0001", "token": token, "user_token": "xoxp-made-up-for-the-story-of-ada"},
        {"do": "delete", "team": "T0GONE001", "enterprise": None},
        {"do": "delete", "team": "T0ACME001", "enterprise": None, "user": "U0LINUS01"},
    ]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bot", action="append", default=[], metavar="ID=TOKEN")
    bots = dict(pair.split("=", 1) for pair in arguments.parse_args().bot)
    print(json.dumps({"client_id": CLIENT_ID, "steps": story(bots, int(time.time()))}, indent=1))
