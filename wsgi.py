"""The served application. gevent patches the standard library before anything else is imported."""

from gevent import config, monkey

config.track_greenlet_tree = False  # who started which greenlet is of use in a debugger; it is 5 kB for each idle reader
monkey.patch_all()

from community import create_app  # noqa: E402

app = create_app()
