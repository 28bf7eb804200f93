"""Lets Bolt for Python's own stores live through a story, each in a folder or file below OUT.

    python .ci/bolt/stores.py STORY.json OUT
"""

import json
import logging
import pathlib
import sys

import sqlalchemy
from slack_sdk.oauth.installation_store import FileInstallationStore, Installation
from slack_sdk.oauth.installation_store.amazon_s3 import AmazonS3InstallationStore
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.installation_store.sqlite3 import SQLite3InstallationStore


class Bucket:
    """The four calls of an S3 client that the store makes, over a folder as `aws s3 sync` would leave it."""

    def __init__(self, folder):
        self.folder = folder

    def put_object(self, Bucket, Key, Body):
        path = self.folder / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Body)
        return {}

    def get_object(self, Bucket, Key):
        return {"Body": (self.folder / Key).open("rb")}

    def list_objects(self, Bucket, Prefix, MaxKeys=1000):
        keys = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        return {"Contents": [{"Key": key} for key in keys if key.startswith(Prefix)][:MaxKeys]}

    def delete_object(self, Bucket, Key):
        (self.folder / Key).unlink(missing_ok=True)


def installation(step):
    team, enterprise = step["team"] or [None, None], step["enterprise"] or [None, None]
    webhook = step.get("webhook") or {}
    return Installation(
        app_id="A0TACK001",
        enterprise_id=enterprise[0],
        enterprise_name=enterprise[1],
        team_id=team[0],
        team_name=team[1],
        bot_token=step["token"],
        bot_id=step["bot_id"],
        bot_user_id=step["bot_user"],
        bot_scopes=["chat:write", "commands"],
        bot_refresh_token=step.get("refresh"),
        bot_token_expires_at=step.get("expires_at"),
        user_id=step["user"],
        user_token=step.get("user_token"),
        user_scopes="search:read" if step.get("user_token") else "",
        incoming_webhook_url=webhook.get("url"),
        incoming_webhook_channel=webhook.get("channel"),
        incoming_webhook_channel_id=webhook.get("channel_id"),
        incoming_webhook_configuration_url=webhook.get("configuration_url"),
        is_enterprise_install=step["team"] is None,
        token_type="bot",
        installed_at=float(step["at"]),
    )


def live(store, steps):
    for step in steps:
        if step["do"] == "save":
            store.save(installation(step))
        elif "user" in step:
            store.delete_installation(enterprise_id=step["enterprise"], team_id=step["team"], user_id=step["user"])
        else:
            store.delete_all(enterprise_id=step["enterprise"], team_id=step["team"])


story, out = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
client_id = story["client_id"]
logging.basicConfig(level=logging.WARNING)
live(FileInstallationStore(base_dir=str(out / "file")), story["steps"])
live(FileInstallationStore(base_dir=str(out / "file-of-a-client"), client_id=client_id, historical_data_enabled=False), story["steps"])
live(AmazonS3InstallationStore(s3_client=Bucket(out / "s3"), bucket_name="installs", client_id=client_id), story["steps"])
engine = sqlalchemy.create_engine(f"sqlite:///{out / 'sqlalchemy.db'}")
store = SQLAlchemyInstallationStore(client_id=client_id, engine=engine)
store.create_tables()
live(store, story["steps"])
live(SQLite3InstallationStore(database=str(out / "sqlite3.db"), client_id=client_id), story["steps"])

# The same tables as `psql … row_to_json` or `mysqlsh --result-format=ndjson` would dump them.
(out / "dump").mkdir()
for table in (store.bots, store.installations):
    with engine.connect() as connection, (out / "dump" / f"{table.name}.jsonl").open("w") as file:
        for row in connection.execute(table.select()).mappings():
            file.write(json.dumps(dict(row), default=lambda moment: moment.isoformat()) + "\n")
