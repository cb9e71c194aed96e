"""The floor of a page: a bare Flask view with the topic page's SQL, its 20 stored posts and one small template.

Served in the same way as Kith (gunicorn, gevent, one worker). What Kith's topic page costs above this is what signing,
permission, forms, headers and the whole layout cost.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa
from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue

from community.core.db import make_engine
from config import read

ACCOUNT = sa.text(
    "SELECT a.* FROM accounts a JOIN auth_sessions s ON s.account_id = a.id "
    "WHERE s.token_hash = :hash AND s.revoked_at IS NULL AND s.expires_at > CURRENT_TIMESTAMP"
)
TOPIC = sa.text("SELECT * FROM topics WHERE id = :topic")
ROOM = sa.text("SELECT * FROM rooms WHERE id = :room")
MEMBER = sa.text("SELECT joined_at FROM memberships WHERE room_id = :room AND account_id = :account")
POSTS = sa.text(
    "SELECT p.id, p.number, a.name, a.hue, p.html, p.visibility, p.author_id, p.created_at, p.edited_at FROM posts p "
    "JOIN accounts a ON a.id = p.author_id WHERE p.topic_id = :topic AND p.number BETWEEN 1 AND 20 ORDER BY p.number"
)
engine = make_engine(read().sqlalchemy_url)
blueprint = Blueprint("floor", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    return {"ok": True}


@blueprint.get("/topics/<int:topic_id>")
def topic(topic_id: int) -> ResponseReturnValue:
    token_hash = hashlib.sha256(request.cookies["token"].encode()).hexdigest()
    with engine.connect() as connection:
        account = connection.execute(ACCOUNT, {"hash": token_hash}).one()
        found = connection.execute(TOPIC, {"topic": topic_id}).one()
        room = connection.execute(ROOM, {"room": found.room_id}).one()
        member = connection.execute(MEMBER, {"room": room.id, "account": account.id}).first()
        posts = connection.execute(POSTS, {"topic": topic_id}).all()
    return render_template("floor.html", account=account, topic=found, room=room, member=member, posts=posts)


app = Flask(__name__)
app.register_blueprint(blueprint)
app.extensions["kith_start"] = lambda: None
