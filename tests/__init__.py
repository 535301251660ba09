from cloudbang.core import punctual

punctual.install()  # as the server does, before anything that is imported makes a hub
